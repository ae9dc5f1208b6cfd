"""The types of values at run time, and how to get from an element to its children.

https://hl7.org/fhirpath/#types-and-reflection and https://hl7.org/fhir/R4/fhirpath.html#types

Inside the engine a value travels as a plain tuple `(value, type)`, the cheapest thing Python has.
A FHIR primitive with a sibling such as `_birthDate` has it third; a traced value has its
evidence fourth.  `value` is what the JSON holds; `TypeInfo.convert` makes the System value of it.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any

from carepath.fhirpath.failure import Failure
from carepath.fhirpath.quantity import CALENDAR_OF, INEXACT, Quantity
from carepath.fhirpath.temporal import Date, DateTime, Time, date_of, date_time_of, time_of

if TYPE_CHECKING:
    from carepath.r4.model import Element

Item = tuple[Any, ...]
Items = list[Item]

OBJECT, BOOLEAN, INTEGER, LONG, DECIMAL, STRING, DATE, DATE_TIME, TIME, QUANTITY = range(10)
"""Kinds: which System type a value can be used as."""

UCUM = "http://unitsofmeasure.org"


class TypeInfo:
    """A System or FHIR type: its name, kind and the ways to its children."""

    __slots__ = ("ancestors", "convert", "kind", "members", "name", "namespace", "primitive")

    def __init__(
        self,
        namespace: str,
        name: str,
        kind: int,
        convert: Callable[[Any], Any] | None = None,
        ancestors: frozenset[str] = frozenset(),
        *,
        primitive: bool = False,
    ) -> None:
        self.namespace = namespace
        self.name = name
        self.kind = kind
        self.convert = convert
        self.ancestors = ancestors
        self.primitive = primitive
        self.members = Members(self)

    def __repr__(self) -> str:
        return f"{self.namespace}.{self.name}"


# How a child is got: what kind of child, JSON property, sibling property, the child's type(s).
ABSENT, COMPLEX, PRIMITIVE, RESOURCE, CHOICE, COMPUTED, RESOURCE_OF = range(7)
Access = tuple[int, str, str, Any]
NO_ACCESS: Access = (ABSENT, "", "", None)


class Members(dict["str | tuple[str, str]", Access]):
    """The children of one type by FHIRPath name, each looked up when first wanted.

    A key `(name, type)` stands for `name.ofType(type)`.
    """

    __slots__ = ("owner",)

    def __init__(self, owner: TypeInfo) -> None:
        super().__init__()
        self.owner = owner

    def __missing__(self, key: "str | tuple[str, str]") -> Access:
        if isinstance(key, str):
            access = _access(self.owner, key)
        else:
            access = _access_of_type(self[key[0]], *key)
        # The names come from expressions: what a type does not have is not worth remembering.
        if access[0] != ABSENT or len(self) < _MAX_REMEMBERED:
            self[key] = access
        return access


_MAX_REMEMBERED = 1000


def _access_of_type(access: Access, name: str, wanted: str) -> Access:
    """Return how to get only the children of one type."""
    kind, property_, _, child = access
    if kind == CHOICE:
        fitting = {n: a for n, a in child.items() if fits(a[3], wanted)}
        return next(iter(fitting.values())) if len(fitting) == 1 else (kind, name, "", fitting)
    if kind == RESOURCE and wanted.rpartition(".")[2] in model().RESOURCE_TYPES:
        return (RESOURCE_OF, property_, "", fhir_type(wanted.rpartition(".")[2]))
    if kind in (COMPLEX, PRIMITIVE):
        return access if fits(child, wanted) else NO_ACCESS
    if kind in (RESOURCE, COMPUTED):
        return (COMPUTED, property_, "", _only(access, name, wanted))
    return NO_ACCESS


def _only(access: Access, name: str, wanted: str) -> Callable[[Item], Items]:
    from_all = import_module("carepath.fhirpath.access").add_children

    def get(item: Item) -> Items:
        found: Items = []
        from_all(item, name, found)
        return [each for each in found if fits(each[1], wanted)]

    return get


def _access(owner: TypeInfo, name: str) -> Access:
    if owner is MANY:
        return (COMPUTED, name, "", _member_of_each(name))
    if owner.namespace == "System":
        getter = _SYSTEM_MEMBERS.get((owner.name, name))
        return (COMPUTED, name, "", getter) if getter else NO_ACCESS
    if owner is UNTYPED:
        return (COMPUTED, name, "", _untyped_member(name))
    if owner.primitive:
        getter = _PRIMITIVE_MEMBERS.get(name)
        return (COMPUTED, name, "", getter) if getter else NO_ACCESS
    type_ = model().type_of(owner.name)
    if type_ is None:
        return NO_ACCESS
    if name in type_.choices:
        return (CHOICE, name, "", {e.name: _element_access(e) for e in type_.choices[name]})
    element = type_.elements.get(name)
    if element is None:
        return NO_ACCESS
    if element.choice:
        # An empty result here would be a silent "no": the element is named without its type.
        raise Failure(f"`{name}` is written `{element.choice}.ofType({element.type})` in FHIRPath")
    return _element_access(element)


def _member_of_each(name: str) -> Callable[[Item], Items]:
    """Return the getter for a focus of several items."""
    add_children = import_module("carepath.fhirpath.access").add_children

    def get(focus: Item) -> Items:
        found: Items = []
        for item in focus[0]:
            if name in item[1].ancestors and name[:1].isupper():
                found.append(item)
            else:
                add_children(item, name, found)
        return found

    return get


def _element_access(element: "Element") -> Access:
    type_ = fhir_type(element.type)
    if type_.primitive:
        return (PRIMITIVE, element.name, "_" + element.name, type_)
    if element.type in ("Resource", "DomainResource"):
        return (RESOURCE, element.name, "", type_)
    return (COMPLEX, element.name, "", type_)


def model() -> Any:
    """Return `carepath.r4.model`, loaded only when FHIR types are first needed."""
    return import_module("carepath.r4.model")


def _decimal(value: Any) -> Any:
    """Return the exact decimal of a JSON number."""
    if type(value) is Decimal:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def _integer(value: Any) -> Any:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else None


def _text(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        return parse(value) if isinstance(value, str) else None

    return convert


def _quantity(value: Any) -> Quantity | None:
    """Return the System Quantity of a FHIR one; one with a comparator has no definite value."""
    if not isinstance(value, dict) or value.get("comparator"):
        return None
    number = _decimal(value.get("value"))
    if number is None:
        return None
    code = value.get("code")
    if value.get("system") == UCUM and isinstance(code, str):
        return Quantity(number, code, either=CALENDAR_OF.get(code) in INEXACT)
    unit = code or value.get("unit") or "1"
    return Quantity(number, unit) if isinstance(unit, str) else None


SYSTEM: dict[str, TypeInfo] = {
    name: TypeInfo("System", name, kind, primitive=True)
    for name, kind in {
        "Boolean": BOOLEAN,
        "Integer": INTEGER,
        "Long": LONG,
        "Decimal": DECIMAL,
        "String": STRING,
        "Date": DATE,
        "DateTime": DATE_TIME,
        "Time": TIME,
        "Quantity": QUANTITY,
        "TypeInfo": OBJECT,
    }.items()
}
_FHIR_KINDS: dict[str, tuple[int, Callable[[Any], Any] | None]] = {
    "boolean": (BOOLEAN, _boolean),
    "integer": (INTEGER, _integer),
    "positiveInt": (INTEGER, _integer),
    "unsignedInt": (INTEGER, _integer),
    "decimal": (DECIMAL, _decimal),
    "date": (DATE, _text(date_of)),
    "dateTime": (DATE_TIME, _text(date_time_of)),
    "instant": (DATE_TIME, _text(date_time_of)),
    "time": (TIME, _text(time_of)),
}
UNTYPED = TypeInfo("FHIR", "Element", OBJECT)
"""An object of which nobody said what it is."""
MANY = TypeInfo("Engine", "Collection", OBJECT)
"""The focus of an expression that is evaluated on none or several values at once."""
_fhir: dict[str, TypeInfo] = {}


def fhir_type(name: str) -> TypeInfo:
    """Return the FHIR type with this name; one the model does not know is an empty type."""
    found = _fhir.get(name)
    if found is None:
        found = _fhir[name] = _make(name)
    return found


def _make(name: str) -> TypeInfo:
    type_ = model().type_of(name)
    ancestors = frozenset(_lineage(name))
    if type_ is None or type_.kind != "primitive":
        if "Quantity" in ancestors:
            return TypeInfo("FHIR", name, QUANTITY, _quantity, ancestors)
        return TypeInfo("FHIR", name, OBJECT, None, ancestors)
    kind, convert = _FHIR_KINDS.get(name, (STRING, None))
    return TypeInfo("FHIR", name, kind, convert, ancestors, primitive=True)


def _lineage(name: str) -> list[str]:
    names = []
    type_ = model().type_of(name)
    while type_ is not None:
        names.append(type_.name)
        type_ = model().type_of(type_.base) if type_.base else None
    return names or [name]


def resource_type(resource: Mapping[str, Any]) -> TypeInfo:
    """Return the type of a resource by its `resourceType`."""
    name = resource.get("resourceType")
    if not isinstance(name, str):
        return UNTYPED
    found = _fhir.get(name)
    return found if found is not None else _known_resource(name)


def _known_resource(name: str) -> TypeInfo:
    return fhir_type(name) if name in model().RESOURCE_TYPES else UNTYPED


_OF_PYTHON: dict[type, TypeInfo] = {
    bool: SYSTEM["Boolean"],
    int: SYSTEM["Integer"],
    Decimal: SYSTEM["Decimal"],
    str: SYSTEM["String"],
    Date: SYSTEM["Date"],
    DateTime: SYSTEM["DateTime"],
    Time: SYSTEM["Time"],
    Quantity: SYSTEM["Quantity"],
}


def item_of(value: Any) -> Item | None:
    """Return the item for a plain value, or None when it is no value of FHIRPath."""
    type_ = _OF_PYTHON.get(type(value))
    if type_ is not None:
        return (value, type_)
    if isinstance(value, dict):
        return (value, resource_type(value))
    if isinstance(value, float):
        return (_decimal(value), SYSTEM["Decimal"])
    return None


def system_value(item: Item) -> Any:
    """Return the System value of an item: parsed date, Decimal, Quantity; None when it has none."""
    convert = item[1].convert
    return item[0] if convert is None else convert(item[0])


def sibling(item: Item) -> Any:
    """Return what stands beside a primitive in `_name`: id and extensions; else None."""
    return item[2] if len(item) > 2 else None  # noqa: PLR2004


def _sibling_member(name: str, child: str) -> Callable[[Item], Items]:
    def get(item: Item) -> Items:
        beside = sibling(item)
        value = beside.get(name) if isinstance(beside, dict) else None
        if value is None:
            return []
        type_ = fhir_type(child)
        return [(each, type_) for each in value] if isinstance(value, list) else [(value, type_)]

    return get


def _primitive_value(item: Item) -> Items:
    value = system_value(item)
    found = None if value is None else item_of(value)
    return [found] if found else []


def _untyped_member(name: str) -> Callable[[Item], Items]:
    """Read a property of an object without a type; its own type is guessed from the value."""

    def get(item: Item) -> Items:
        value = item[0].get(name) if isinstance(item[0], dict) else None
        each = value if isinstance(value, list) else [value]
        return [found for one in each if (found := item_of(one))]

    return get


def _field(name: str, type_: str) -> Callable[[Item], Items]:
    def get(item: Item) -> Items:
        value = item[0]
        found = value.get(name) if isinstance(value, dict) else getattr(value, name)
        return [(found, SYSTEM[type_])]

    return get


_PRIMITIVE_MEMBERS: dict[str, Callable[[Item], Items]] = {
    "extension": _sibling_member("extension", "Extension"),
    "id": _sibling_member("id", "string"),
    "value": _primitive_value,
}
_SYSTEM_MEMBERS: dict[tuple[str, str], Callable[[Item], Items]] = {
    ("Quantity", "value"): _field("value", "Decimal"),
    ("Quantity", "unit"): _field("unit", "String"),
    ("TypeInfo", "namespace"): _field("namespace", "String"),
    ("TypeInfo", "name"): _field("name", "String"),
    ("TypeInfo", "baseType"): _field("baseType", "String"),
}


def is_type(type_: TypeInfo, name: str) -> bool:
    """Tell whether a value of `type_` is of the named type or one derived from it."""
    namespace, _, bare = name.rpartition(".")
    if namespace and namespace != type_.namespace:
        return False
    return bare == type_.name if type_.namespace == "System" else bare in type_.ancestors


def fits(type_: TypeInfo, wanted: str) -> bool:
    """Tell whether `as` and `ofType` let a value of this type pass.

    A primitive must be of the very type: a `code` is no `string` here, though `is(string)` holds.
    """
    if type_.primitive and type_.namespace == "FHIR":
        namespace, _, bare = wanted.rpartition(".")
        return bare == type_.name and namespace in ("", "FHIR")
    return is_type(type_, wanted)


def known_type(name: str) -> bool:
    """Tell whether there is a type with this name, with or without its namespace."""
    namespace, _, bare = name.rpartition(".")
    in_system = bare in SYSTEM or bare == "Any"
    in_fhir = namespace != "System" and model().type_of(bare) is not None
    return in_fhir or (namespace != "FHIR" and in_system)


TERMINOLOGIES = TypeInfo("Engine", "Terminologies", OBJECT)
FACTORY = TypeInfo("Engine", "Factory", OBJECT)


def typed_resource(resource: Mapping[str, Any]) -> Item:
    """Return the item for a resource that a terminology answered with."""
    return (dict(resource), resource_type(resource))
