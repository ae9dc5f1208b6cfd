"""Where the references inside a Bundle lead, by the full URLs of its entries.

https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from carepath.issues import Issue
from carepath.validation.rules.rule import fault, is_absolute, text_of

Entry = Mapping[str, Any]

_BASE = re.compile(r"(https?://.*/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_HISTORY = "/_history/"
_UUID = "urn:uuid:"


class Places:
    """The entries of a Bundle by what a reference to them says."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        """Index the entries by full URL, with and without the version of what they hold."""
        self._entries = entries
        self._by_url: dict[str, int] = {}
        for index, entry in enumerate(entries):
            for name in _names(entry):
                self._by_url.setdefault(name, index)

    def find(self, reference: str, source: Entry) -> int | None:
        """Return the entry that a reference in an entry leads to."""
        if not is_absolute(reference):
            base = _BASE.fullmatch(text_of(source, "fullUrl"))
            reference = base[1] + reference if base else ""
        return self._by_url.get(reference)

    def reached(self) -> set[int]:
        """Return the entries that are linked with the first one, forward or backward."""
        links: dict[int, set[int]] = {}
        for index, entry in enumerate(self._entries):
            for reference in references_in(entry.get("resource")):
                target = self.find(reference, entry)
                if target is not None:
                    links.setdefault(index, set()).add(target)
                    links.setdefault(target, set()).add(index)
        found, waiting = {0}, [0]
        while waiting:
            for other in links.get(waiting.pop(), set()) - found:
                found.add(other)
                waiting.append(other)
        return found


def _names(entry: Entry) -> Iterator[str]:
    """Yield the URLs of an entry: without its version, and with it."""
    url = text_of(entry, "fullUrl")
    if url:
        yield url
        resource = entry.get("resource")
        version = text_of(resource.get("meta"), "versionId") if isinstance(resource, dict) else ""
        if version:
            yield f"{url}{_HISTORY}{version}"


def references_in(value: Any) -> Iterator[str]:
    """Yield every reference at or below a value that leads out of its resource."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            reference = text_of(one, "reference")
            if reference and not reference.startswith("#"):
                yield reference
            waiting.extend(v for v in one.values() if isinstance(v, (dict, list)))


def misled(entries: Sequence[Entry], path: str) -> Iterator[Issue]:
    """Yield relative references to one type whose id is the UUID of an entry of another."""
    held = {text_of(entry, "fullUrl"): entry.get("resource") for entry in entries}
    types = {
        url.removeprefix(_UUID): text_of(resource, "resourceType")
        for url, resource in held.items()
        if url.startswith(_UUID)
    }
    for index, entry in enumerate(entries if types else ()):
        for reference in references_in(entry.get("resource")):
            named, _, id = reference.rpartition("/")
            actual = types.get(id, named)
            if actual != named and named.isalpha():
                sentence = f"refers to `{named}` by the UUID of an entry that holds `{actual}`"
                yield fault(f"{path}.entry[{index}].resource", sentence, "structure")
