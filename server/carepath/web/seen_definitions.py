"""What was compiled of definitions that came with requests, for those that bring the same again.

An engine that sends its pathway with each patient pays once for reading it and not each time; the
answer is the same.  Definitions are told by all that they say, so that a changed one is another.
"""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from threading import Lock

from carepath.formats.json import encode
from carepath.knowledge import Knowledge, KnowledgeOfRequests, KnowledgeWithSent
from carepath.resources import Resource

MOST_SETS = 16
"""Sets of definitions that are kept; the one that was asked for longest ago goes first."""
MOST_BYTES = 4_000_000
"""Bytes of JSON of all that is kept: compiled, a byte takes about eight."""
MOST_SEEN = 1_000
"""Sets of which it is remembered that they came once; nothing is kept of one that never returns."""


class SeenDefinitions:
    """The sets of definitions that requests to one process brought, those of late."""

    def __init__(self, base: Knowledge) -> None:
        """Begin with none; `base` is what is held without any request."""
        self._base = base
        self._once: OrderedDict[bytes, None] = OrderedDict()
        self._kept: OrderedDict[bytes, tuple[KnowledgeOfRequests, int]] = OrderedDict()
        self._lock = Lock()

    def knowledge(self, sent: Sequence[Resource], inline: Resource | None) -> Knowledge:
        """Return what is held, seen through what a request brought.

        `inline` is the definition that the request is about and brings by itself.  At the second
        time what is made of the definitions is kept: see `Knowledge.itself`.
        """
        if not sent and inline is None:
            return self._base
        content = encode([inline, *sent])
        if len(content) <= MOST_BYTES:
            key = sha256(content).digest()
            with self._lock:
                if self._came_before(key):
                    return self._of(key, sent, inline, len(content))
        return KnowledgeWithSent(self._base, sent) if sent else self._base

    def _came_before(self, key: bytes) -> bool:
        """Tell whether a set came before, and remember that it came."""
        if key in self._kept or self._once.pop(key, key) is None:
            return True
        self._once[key] = None
        if len(self._once) > MOST_SEEN:
            self._once.popitem(last=False)
        return False

    def _of(
        self, key: bytes, sent: Sequence[Resource], inline: Resource | None, size: int
    ) -> KnowledgeOfRequests:
        """Return what is kept of a set; others make room for a new one."""
        found = self._kept.get(key)
        if found is None:
            found = KnowledgeOfRequests(self._base, sent, inline), size
            self._kept[key] = found
            while len(self._kept) > MOST_SETS or self._size() > MOST_BYTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found[0]

    def _size(self) -> int:
        return sum(size for _, size in self._kept.values())
