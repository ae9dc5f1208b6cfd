"""A resource as lines of JSON, with the elements marked that something was read from.

https://hl7.org/fhir/R4/fhirpath.html (paths), https://hl7.org/fhir/R4/json.html
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from carepath.deadline import paced
from carepath.formats.json import encode
from carepath.web.explorer.room import CUT

MOST = 20_000
"""Lines that are shown of one resource."""
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


class Step(NamedTuple):
    """One step of a path: a name, and which of several."""

    name: str
    place: int | None


class JsonLine(NamedTuple):
    """One line, and whether it belongs to a marked element."""

    text: str
    is_marked: bool


Rest = tuple[Step, ...]


def json_lines(resource: dict[str, Any], paths: Iterable[str]) -> list[JsonLine]:
    """Return a resource as indented lines; `paths` are those of elements, such as `Patient.name`.

    A path that the resource does not have marks nothing.  What is longer than MOST is cut.
    """
    wanted = list(dict.fromkeys(_steps(path) for path in paths))
    found = paced(_object(resource, "", "", [rest for rest in wanted if rest]))
    lines = list(islice(found, MOST))
    return lines if next(found, None) is None else [*lines, JsonLine(CUT, is_marked=False)]


def _steps(path: str) -> Rest:
    """Return a path without the type that it begins with."""
    found = _STEP.findall(path.partition(".")[2])
    return tuple(Step(name, int(index) if index else None) for name, index in found)


def _value(value: Any, head: str, tail: str, rests: list[Rest]) -> Iterator[JsonLine]:
    """Yield the lines of a value after its key."""
    indent = " " * (len(head) - len(head.lstrip()))
    if isinstance(value, dict) and value:
        yield from _object(value, head, tail, rests, indent)
    elif isinstance(value, list) and value:
        yield from _list(value, head, tail, rests, indent)
    else:
        yield JsonLine(f"{head}{encode(value).decode()}{tail}", () in rests)


def _object(
    value: dict[str, Any], head: str, tail: str, rests: list[Rest], indent: str = ""
) -> Iterator[JsonLine]:
    is_marked = () in rests
    yield JsonLine(f"{head}{{", is_marked)
    last = len(value) - 1
    for number, (key, inner) in enumerate(value.items()):
        below: list[Rest] = [()] if is_marked else [rest for rest in rests if _is_named(key, rest)]
        begin = f"{indent}  {encode(key).decode()}: "
        end = "," if number < last else ""
        if isinstance(inner, list) and inner:
            yield from _value(inner, begin, end, below)
        else:
            yield from _value(inner, begin, end, [rest[1:] for rest in below])
    yield JsonLine(f"{indent}}}{tail}", is_marked)


def _list(
    value: list[Any], head: str, tail: str, rests: list[Rest], indent: str
) -> Iterator[JsonLine]:
    """Yield the lines of a list; its rests still begin with the step that names it."""
    is_marked = any(rest == () or (len(rest) == 1 and rest[0].place is None) for rest in rests)
    yield JsonLine(f"{head}[", is_marked)
    last = len(value) - 1
    by_place: defaultdict[int | None, list[Rest]] = defaultdict(list)
    for rest in rests:
        by_place[rest[0].place if rest else None].append(rest[1:])
    for number, inner in enumerate(value):
        below = [*by_place.get(None, ()), *by_place.get(number, ())]
        yield from _value(inner, f"{indent}  ", "," if number < last else "", below)
    yield JsonLine(f"{indent}]{tail}", is_marked)


def _is_named(key: str, rest: Rest) -> bool:
    """Tell whether a key is what a path goes through next: `valueString` is `value`, too."""
    if not rest:
        return False
    name = rest[0].name
    return key == name or (key.startswith(name) and key[len(name) : len(name) + 1].isupper())
