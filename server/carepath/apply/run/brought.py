"""What a plan contains and its actions lead to, brought along in the answer.

https://hl7.org/fhir/R4/references.html#contained
"""

from collections.abc import Iterator
from typing import Any, Protocol

from carepath.resources import Resource


class Holder(Protocol):
    """What holds the contained resources of an answer."""

    contained: list[Resource]

    def unique_id(self, name: str) -> str:
        """Return an id that no other resource of the answer has."""


class Brought:
    """The contained resources that were brought along, each once."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, str], str] = {}

    def bring(self, name: str, plan: Resource, holder: Holder) -> str:
        """Return the reference by which the answer has what `#id` means in a plan."""
        key = (id(plan), name)
        if key not in self._names:
            every = {f"#{r['id']}": r for r in plan.get("contained") or () if "id" in r}
            names = list(dict.fromkeys(_reached(name, every)))
            renamed = {old: f"#{holder.unique_id(old[1:])}" for old in names}
            self._names |= {(id(plan), old): new for old, new in renamed.items()}
            for old in names:
                made = _renamed(every[old], renamed)
                holder.contained.append({**made, "id": renamed[old][1:]})
        return self._names[key]


def _reached(name: str, every: dict[str, Resource]) -> Iterator[str]:
    """Yield a name and all that it leads to, by references and by canonicals."""
    waiting, seen = [name], {name}
    while waiting:
        current = waiting.pop(0)
        yield current
        for text in _texts(every[current]):
            if text in every and text not in seen:
                seen.add(text)
                waiting.append(text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if _is_list(value) else ():
        yield from _texts(item)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _renamed(value: Any, renamed: dict[str, str]) -> Any:
    """Return a value whose references and canonicals have the new names."""
    if isinstance(value, str):
        return renamed.get(value, value)
    if isinstance(value, list):
        return [_renamed(item, renamed) for item in value]
    if isinstance(value, dict):
        return {name: _renamed(item, renamed) for name, item in value.items()}
    return value
