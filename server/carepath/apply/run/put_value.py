"""Put a value at a path of a result, leaving everything that is shared untouched.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue
"""

from collections.abc import Sequence
from typing import Any

from carepath.apply.compile.path import Path, Place
from carepath.apply.run.coercion import CannotCoerce, coerce, coerce_choice
from carepath.fhirpath import Node
from carepath.r4.model import Element, type_of
from carepath.resources import Resource

_OURS = frozenset({"resourceType", "id", "contained", "text"})


def put(target: Resource, path: Path, nodes: Sequence[Node]) -> None:
    """Set the element that a path means on a result that is ours at its top level.

    What lies below the top is shared with definitions and is copied on the way down.  Raises
    CannotCoerce when the values do not fit; an empty result sets nothing.
    """
    if not nodes:
        return
    if not path.places:
        _put_whole(target, nodes)
    else:
        _put(target, path.places, nodes)


def _put_whole(target: Resource, nodes: Sequence[Node]) -> None:
    """Lay a resource of the same type over the result (`$this`); ids of ours stay."""
    value = nodes[0].value
    if len(nodes) > 1 or not isinstance(value, dict):
        raise CannotCoerce("the whole result takes one resource")
    resource_type = target.get("resourceType")
    if resource_type and value.get("resourceType") not in (None, resource_type):
        raise CannotCoerce(f"it is of type {value.get('resourceType')}, not {resource_type}")
    found = type_of(str(resource_type or value.get("resourceType") or "RequestGroup.action"))
    elements = found.elements if found is not None else {}
    for name in value:
        if name != "resourceType" and name.removeprefix("_") not in elements:
            raise CannotCoerce(f"{resource_type or 'the action'} has no element `{name}`")
    target.update({k: v for k, v in value.items() if k not in _OURS})
    for name in value:
        if name in elements:
            drop_alternatives(target, elements[name], name)


def _put(container: Resource, places: Sequence[Place], nodes: Sequence[Node]) -> None:
    """Set the last place below a container that may be changed."""
    place, rest = places[0], places[1:]
    if not rest:
        _put_last(container, place, nodes)
        return
    name = place.name
    if _is_primitive(place):
        # Extensions of a primitive live in its sibling.
        name = f"_{name}"
    if place.is_list and not name.startswith("_"):
        items = list(container.get(name) or ())
        index = _index(items, place)
        items[index] = dict(items[index])
        _put(items[index], rest, nodes)
        container[name] = items
    else:
        inside = dict(container.get(name) or {})
        _put(inside, rest, nodes)
        container[name] = inside
    drop_alternatives(container, place.elements[0], place.name)


def _put_last(container: Resource, place: Place, nodes: Sequence[Node]) -> None:
    """Set the element itself."""
    if place.name:
        name, values = place.name, [coerce(node, place.elements[0]) for node in nodes]
    else:
        name, values = coerce_choice(nodes, place.elements)
    if place.url:
        _put_extension(container, place, values)
    elif not place.is_list:
        container[name] = _single(values)
    elif place.item is None:
        container[name] = values
    else:
        items = list(container.get(name) or ())
        items[_index(items, place)] = _single(values)
        container[name] = items
    container.pop(f"_{name}", None)
    drop_alternatives(container, place.elements[0], name)


def _put_extension(container: Resource, place: Place, values: list[Any]) -> None:
    """Replace the extensions with the place's URL by these."""
    kept = [e for e in container.get("extension") or () if e.get("url") != place.url]
    container["extension"] = [*kept, *({**value, "url": place.url} for value in values)]


def drop_alternatives(container: Resource, element: Element, name: str) -> None:
    """Drop the forms of a choice but the one of a name, with their extensions: one may stand."""
    if not element.choice:
        return
    owner = type_of(element.path.rpartition(".")[0])
    for other in owner.choices[element.choice] if owner is not None else ():
        if other.name != name:
            container.pop(other.name, None)
            container.pop(f"_{other.name}", None)


def _index(items: list[Any], place: Place) -> int:
    """Return which item of a list is meant, adding one at the end when it is the next."""
    if place.url:
        for index, item in enumerate(items):
            if item.get("url") == place.url:
                return index
        items.append({"url": place.url})
        return len(items) - 1
    if place.item is None and len(items) > 1:
        raise CannotCoerce(f"`{place.name}` has several items and the path names none of them")
    index = place.item or 0
    if index > len(items):
        raise CannotCoerce(f"`{place.name}` has no item {index} and none before it")
    if index == len(items):
        items.append({})
    return index


def _single(values: list[Any]) -> Any:
    if len(values) > 1:
        raise CannotCoerce(f"{len(values)} values for an element that takes one")
    return values[0]


def _is_primitive(place: Place) -> bool:
    found = type_of(place.elements[0].type)
    return found is not None and found.kind == "primitive"
