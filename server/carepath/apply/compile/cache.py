"""What is made of definitions: each thing once, for all requests and threads."""

from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, TypeVar, cast

from carepath.knowledge import Knowledge

T = TypeVar("T")


class Same:
    """An object in a key, told by what it is and not by what it equals; the key keeps it alive."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class Cache:
    """What was made, by its type and what it was made from.

    One belongs to each Knowledge (`knowledge.derived(Cache)`), and one to each request that brings
    a definition of its own.
    """

    def __init__(self, _: Knowledge | None = None) -> None:
        """Begin with nothing; what a Knowledge holds is made when it is asked for."""
        self._made: dict[tuple[type, Hashable], Any] = {}
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self._made)

    def get(self, kind: type[T], key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for a key the first time; other threads wait for it."""
        place = (kind, key)
        try:
            return cast("T", self._made[place])
        except KeyError:
            with self._lock:
                if place not in self._made:
                    self._made[place] = make()
                return cast("T", self._made[place])

    def take(self, other: "Cache", keeps: Callable[[type], bool]) -> None:
        """Take over what another has made, of the types that still hold."""
        with self._lock:
            self._made |= {key: made for key, made in other._made.items() if keeps(key[0])}

    def all(self, kind: type[T]) -> list[T]:
        """Return everything of a type that was made so far."""
        return [made for (made_as, _), made in list(self._made.items()) if made_as is kind]
