"""Walking a resource element by element, by the R4 tables.

https://hl7.org/fhir/R4/json.html

Each element comes with its type and its FHIRPath.  A resource of a shape that R4 does not know is
walked as far as the tables go; what is wrong with the shape is for the structure check.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from carepath import deadline
from carepath.r4.model import Element, type_of
from carepath.validation.structure.locations import resource_type_of


class Item(NamedTuple):
    """One element in the data: its value, what R4 says it is, and where it stands."""

    value: Any
    """The JSON value; None for a primitive that has only an id or extensions."""
    sibling: Any
    """The `_name` beside a primitive, None when there is none."""
    type: str
    path: str
    """FHIRPath from the resource that is validated: `Observation.component[0].value`."""
    resource: Any
    """The nearest resource around it (`%resource`)."""
    root: Any
    """The resource that holds `resource` as a contained one, else `resource` itself."""
    definition: str = ""
    """The path in the definitions: `Observation.component.value[x]`."""

    @property
    def members(self) -> dict[str, Any]:
        """Return the JSON object with the children of the element."""
        if isinstance(self.value, dict):
            return self.value
        return self.sibling if isinstance(self.sibling, dict) else {}


def root_item(resource: Any) -> Item:
    """Return the item of the resource itself."""
    type_ = resource_type_of(resource)
    return Item(resource, None, type_, type_ or "Resource", resource, resource, type_)


def children(item: Item) -> Iterator[Item]:
    """Yield all children of an element, in the order of their definition."""
    owner = type_of(item.type)
    members = item.members
    if owner is None or not members:
        return
    for element in owner.elements.values():
        if element.name in members or "_" + element.name in members:
            yield from _of_element(item, element)


def named(item: Item, name: str) -> list[Item]:
    """Return the children with a name; `value`, `value[x]` and `valueQuantity` are understood."""
    owner = type_of(item.type)
    if owner is None:
        return []
    choice = owner.choices.get(name.removesuffix("[x]"), ())
    elements = choice or tuple(filter(None, [owner.elements.get(name)]))
    return [child for element in elements for child in _of_element(item, element)]


def definition_of(item: Item, name: str) -> Element | None:
    """Return R4's definition of a child by its name; of a choice that of its first type."""
    owner = type_of(item.type)
    if owner is None:
        return None
    choice = owner.choices.get(name.removesuffix("[x]"))
    return choice[0] if choice else owner.elements.get(name)


def every(item: Item) -> Iterator[Item]:
    """Yield an element and all below it, resources inside resources included."""
    deadline.check()
    yield item
    for child in children(item):
        yield from every(child)


def _of_element(item: Item, element: Element) -> Iterator[Item]:
    value = item.members.get(element.name)
    sibling = item.members.get("_" + element.name)
    place = f"{item.path}.{element.choice or element.name}"
    if not element.is_list:
        if value is not None or isinstance(sibling, dict):
            yield _item(item, element, value, sibling, place)
        return
    values = value if isinstance(value, list) else []
    siblings = sibling if isinstance(sibling, list) else []
    for index in range(max(len(values), len(siblings))):
        one = values[index] if index < len(values) else None
        beside = siblings[index] if index < len(siblings) else None
        if one is not None or beside is not None:
            yield _item(item, element, one, beside, f"{place}[{index}]")


def _item(parent: Item, element: Element, value: Any, sibling: Any, path: str) -> Item:
    if element.type != "Resource":
        plain = parent._replace(value=value, sibling=sibling, type=element.type, path=path)
        return plain._replace(definition=element.path)
    type_ = resource_type_of(value)
    root = parent.root if element.name == "contained" else value
    return Item(value, None, type_, path, value, root, type_)


def required_binding(item: Item) -> str:
    """Return the value set that R4 itself requires for an element, or an empty string."""
    owner_name, _, name = item.definition.rpartition(".")
    owner = type_of(owner_name)
    if owner is None:
        return ""
    choice = owner.choices.get(name.removesuffix("[x]"))
    element = choice[0] if choice else owner.elements.get(name)
    return element.binding if element else ""
