"""Where in what was sent the resources of the data stand, and what is around them.

https://hl7.org/fhir/R4/bundle.html and https://hl7.org/fhir/R4/plandefinition-operation-apply.html

Each resource of the data can be read, or left out, without the others.  What holds them (a Bundle
with its entries, the Parameters of an operation) is the frame.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from carepath import deadline
from carepath.resources import Resource

Path = tuple[str | int, ...]

GONE = object()
"""Instead of a value: nothing stays at the place."""

_DATA = "data"
_PREFETCHED = "prefetchData"
_STAND_IN = {"resourceType": "Parameters"}
_DEEPEST = 20
"""A Bundle in as many Bundles is read, or left out, as a whole."""


class Unit(NamedTuple):
    """One resource of the data."""

    path: Path
    """Where it stands in what was sent."""
    resource: dict[str, Any]
    full_url: str


@dataclass(slots=True)
class Parts:
    """What was sent, taken apart."""

    frame: dict[str, Any]
    """What was sent, with something harmless instead of each resource of the data."""
    units: list[Unit] = field(default_factory=list)
    bundles: set[Path] = field(default_factory=set)
    """Where the Bundles of the data stand; their own elements are in the frame."""
    entries: set[Path] = field(default_factory=set)
    """Where the entries of these Bundles stand."""
    held: dict[Path, list[Unit]] = field(default_factory=dict)
    """What of the data each entry holds; one with a Bundle holds several."""


def parts_of(content: dict[str, Any]) -> Parts:
    """Take what was sent apart; a resource that is neither Bundle nor Parameters is all frame."""
    parts = Parts(content)
    parts.frame = _FRAMES.get(str(content.get("resourceType")), _as_it_is)(content, (), parts)
    for unit in parts.units:
        for end in range(1, len(unit.path)):
            if unit.path[:end] in parts.entries:
                parts.held.setdefault(unit.path[:end], []).append(unit)
    return parts


def data_in(content: Resource | None) -> list[Resource]:
    """Return the data in the body of an operation: what is in `data` and `prefetchData`, or all."""
    if content is None:
        return []
    if content.get("resourceType") != "Parameters":
        return [content]
    given = [part for part in _objects(content.get("parameter")) if part.get("name") == _DATA]
    for part in _objects(content.get("parameter")):
        if part.get("name") == _PREFETCHED:
            inner = _objects(part.get("part"))
            given += [one for one in inner if one.get("name") == _DATA]
    return [part["resource"] for part in given if isinstance(part.get("resource"), dict)]


def changed(value: Any, changes: Mapping[Path, Any]) -> Any:
    """Return a copy with other values at some paths; `GONE` takes away what stands there."""
    if () in changes:
        return changes[()]
    below: dict[str | int, dict[Path, Any]] = {}
    for path, new in changes.items():
        below.setdefault(path[0], {})[path[1:]] = new
    if isinstance(value, dict):
        pairs = ((k, changed(v, below[k]) if k in below else v) for k, v in value.items())
        return {key: inner for key, inner in pairs if inner is not GONE}
    items = (changed(v, below[n]) if n in below else v for n, v in enumerate(value))
    return [inner for inner in items if inner is not GONE]


def removal(unit: Unit) -> Path:
    """Return what to take away so that a unit is gone: an entry stays, a parameter does not."""
    return unit.path if "entry" in unit.path else unit.path[:-1]


def _as_it_is(resource: dict[str, Any], _path: Path, _parts: Parts) -> dict[str, Any]:
    return resource


def _bundle(bundle: dict[str, Any], path: Path, parts: Parts) -> dict[str, Any]:
    parts.bundles.add(path)
    if not isinstance(bundle.get("entry"), list):
        return bundle
    places = [((*path, "entry", index), entry) for index, entry in enumerate(bundle["entry"])]
    return {**bundle, "entry": [_entry(entry, place, parts) for place, entry in places]}


def _entry(entry: Any, path: Path, parts: Parts) -> Any:
    if not isinstance(entry, dict):
        return entry
    parts.entries.add(path)
    return _holder(entry, path, parts)


def _parameters(parameters: dict[str, Any], path: Path, parts: Parts) -> dict[str, Any]:
    return _part(parameters, "parameter", path, parts)


def _part(part: dict[str, Any], slot: str, path: Path, parts: Parts) -> dict[str, Any]:
    """Return a part, or Parameters itself, with the data in its own parts framed."""
    if not isinstance(part.get(slot), list):
        return part
    places = [((*path, slot, index), inner) for index, inner in enumerate(part[slot])]
    return {**part, slot: [_inner_part(inner, place, parts) for place, inner in places]}


def _inner_part(part: Any, path: Path, parts: Parts) -> Any:
    name = part.get("name") if isinstance(part, dict) else None
    if name == _DATA:
        return _holder(part, path, parts)
    return _part(part, "part", path, parts) if name == _PREFETCHED else part


def _holder(holder: dict[str, Any], path: Path, parts: Parts) -> dict[str, Any]:
    """Return an entry or a part with what it holds framed; what is no object stays as it is."""
    deadline.check()
    resource, place = holder.get("resource"), (*path, "resource")
    if not isinstance(resource, dict):
        return holder
    if resource.get("resourceType") == "Bundle" and path.count("entry") < _DEEPEST:
        return {**holder, "resource": _bundle(resource, place, parts)}
    full_url = holder.get("fullUrl")
    parts.units.append(Unit(place, resource, full_url if isinstance(full_url, str) else ""))
    return {**holder, "resource": _STAND_IN}


_FRAMES = {"Bundle": _bundle, "Parameters": _parameters}


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item
