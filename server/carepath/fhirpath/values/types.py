"""The types of values at run time, and how to get from an element to its children.

https://hl7.org/fhirpath/#types-and-reflection and https://hl7.org/fhir/R4/fhirpath.html#types

Inside the engine a value travels as a plain tuple `(value, type)`, the cheapest thing Python has.
A FHIR primitive with a sibling such as `_birthDate` has it third; a traced value has its
evidence fourth.  `value` is what the JSON holds; `TypeInfo.convert` makes the System value of it.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from carepath.fhirpath.values.quantity import CALENDAR_OF, INEXACT, Quantity
from carepath.fhirpath.values.temporal import Date, DateTime, Time, date_of, date_time_of, time_of

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
    look_up: ClassVar[Callable[[TypeInfo, str | tuple[str, str]], Access]]
    """Given by `values.members`, which stands above: it reads items, and items have types."""

    def __init__(self, owner: TypeInfo) -> None:
        super().__init__()
        self.owner = owner

    def __missing__(self, key: "str | tuple[str, str]") -> Access:
        access = Members.look_up(self.owner, key)
        # The names come from expressions: what a type does not have is not worth remembering.
        if access[0] != ABSENT or len(self) < _MAX_REMEMBERED:
            self[key] = access
        return access


_MAX_REMEMBERED = 1000


def model() -> Any:
    """Return `carepath.r4.model`, loaded only when FHIR types are first needed."""
    from carepath.r4 import model  # noqa: PLC0415 - its tables take a quarter of the engine's start

    return model


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


TERMINOLOGIES = TypeInfo("Engine", "Terminologies", OBJECT)
FACTORY = TypeInfo("Engine", "Factory", OBJECT)


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


def typed_resource(resource: Mapping[str, Any]) -> Item:
    """Return the item for a resource that a terminology answered with."""
    return (dict(resource), resource_type(resource))
