"""From one System type to another.

https://hl7.org/fhirpath/#conversion
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from carepath.fhirpath.functions.date_formats import date_in, date_time_in
from carepath.fhirpath.functions.row import A_BOOLEAN, Function, Result, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.quantity import CALENDAR_UNITS, Quantity
from carepath.fhirpath.values.results import EMPTY, is_integer, is_long, of_truth, one, one_text
from carepath.fhirpath.values.temporal import Date, DateTime, InvalidMoment, Moment, Time
from carepath.fhirpath.values.types import OBJECT, SYSTEM, Item, Items, system_value
from carepath.fhirpath.values.unit_conversion import in_unit

_INTEGER = r"[+-]?\d{1,19}"
_DECIMAL = r"[+-]?\d+(\.\d+|L)?"
_QUANTITY = r"(?P<value>[+-]?\d+(\.\d+)?)\s*('(?P<code>[^']+)'|(?P<word>[a-zA-Z]+))?"
_BOOLEANS = {
    "true": True, "t": True, "yes": True, "y": True, "1": True, "1.0": True,
    "false": False, "f": False, "no": False, "n": False, "0": False, "0.0": False,
}  # fmt: skip
_MAX_LENGTH = 400


def to_boolean(value: Any) -> bool | None:
    """Return the Boolean a value stands for, or None."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _BOOLEANS.get(value.lower())
    if isinstance(value, int | Decimal) and value in (0, 1):
        return value == 1
    return None


def to_integer(value: Any) -> int | None:
    """Return the Integer a value stands for, or None."""
    number = to_long(value)
    return number if number is not None and is_integer(number) else None


def to_long(value: Any) -> int | None:
    """Return the Long a value stands for, or None."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str) and re.fullmatch(_INTEGER, value):
        number = int(value)
        return number if is_long(number) else None
    return None


def to_decimal(value: Any) -> Decimal | None:
    """Return the Decimal a value stands for, or None."""
    if isinstance(value, bool | int | Decimal):
        return Decimal(value)
    if isinstance(value, str) and len(value) < _MAX_LENGTH and re.fullmatch(_DECIMAL, value):
        return Decimal(value.removesuffix("L"))
    return None


def to_string(value: Any) -> str | None:
    """Return the text for a value, or None when it is an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, str | int | Moment | Quantity) else None


def to_quantity(value: Any) -> Quantity | None:
    """Return the Quantity a value stands for, or None."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool | int | Decimal):
        return Quantity(Decimal(value))
    match = re.fullmatch(_QUANTITY, value) if isinstance(value, str) and len(value) < 400 else None  # noqa: PLR2004
    if match is None:
        return None
    number = Decimal(match["value"])
    if match["word"]:
        unit = CALENDAR_UNITS.get(match["word"])
        return Quantity(number, unit, calendar=True) if unit else None
    return Quantity(number, match["code"] or "1")


def _moment(kind: type[Date] | type[DateTime] | type[Time]) -> Callable[[Any], Moment | None]:
    def convert(value: Any) -> Moment | None:
        if isinstance(value, Moment) and not isinstance(value, Time) and kind is not Time:
            return value if isinstance(value, kind) else _between(value, kind)
        if isinstance(value, kind):
            return value
        try:
            return kind.parse(value) if isinstance(value, str) else None
        except InvalidMoment:
            return _between(DateTime.parse(value), kind) if _is_moment(value) else None

    return convert


def _is_moment(value: str) -> bool:
    try:
        DateTime.parse(value)
    except InvalidMoment:
        return False
    return True


def _between(value: Moment, kind: type[Moment]) -> Moment | None:
    """Turn a Date into a DateTime, and a DateTime into a Date by dropping the clock."""
    if kind is DateTime:
        return DateTime(value.fields)
    return Date(value.fields[:3]) if kind is Date else None


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Long": to_long,
    "Decimal": to_decimal,
    "String": to_string,
    "Date": _moment(Date),
    "DateTime": _moment(DateTime),
    "Time": _moment(Time),
}


_BY_TEMPLATE: dict[str, Callable[[str, str], Moment | None]] = {
    "Date": date_in,
    "DateTime": date_time_in,
}


def _value(item: Item) -> Any:
    """Return what a conversion starts from; objects have no value to convert."""
    return None if item[1].kind == OBJECT else system_value(item)


def _converted(name: str, value: Any, template: Items | None) -> Any:
    """Return a value as one of a type, a string by the template when one is given."""
    written = one_text(template) if template is not None else None
    if isinstance(value, str) and written is not None:
        return _BY_TEMPLATE[name](value, written)
    return None if value is None else CONVERTERS[name](value)


def _to(name: str) -> Function:
    def evaluate(_: Context, items: Items, template: Items | None = None) -> Items:
        item = one(items)
        found = None if item is None else _converted(name, _value(item), template)
        return EMPTY if found is None else [(found, SYSTEM[name])]

    return plain(evaluate, 0, int(name in _BY_TEMPLATE), gives=Result(f"System.{name}"))


def _converts_to(name: str) -> Function:
    def evaluate(_: Context, items: Items, template: Items | None = None) -> Items:
        item = one(items)
        if item is None:
            return EMPTY
        return of_truth(_converted(name, _value(item), template) is not None)

    return plain(evaluate, 0, int(name in _BY_TEMPLATE), gives=A_BOOLEAN)


def _quantity_in(items: Items, unit: Items | None) -> Quantity | None:
    item = one(items)
    value = None if item is None else _value(item)
    found = None if value is None else to_quantity(value)
    wanted = one_text(unit) if unit is not None else None
    return found if found is None or wanted is None else in_unit(found, wanted)


def _to_quantity(_: Context, items: Items, unit: Items | None = None) -> Items:
    found = _quantity_in(items, unit)
    return EMPTY if found is None else [(found, SYSTEM["Quantity"])]


def _converts_to_quantity(_: Context, items: Items, unit: Items | None = None) -> Items:
    return of_truth(_quantity_in(items, unit) is not None) if items else EMPTY


def _convertible(name: str) -> tuple[tuple[str, Function], tuple[str, Function]]:
    return (f"to{name}", _to(name)), (f"convertsTo{name}", _converts_to(name))


FUNCTIONS: Table = {
    **dict(row for name in CONVERTERS for row in _convertible(name)),
    "toQuantity": plain(_to_quantity, 0, 1, gives=Result("System.Quantity")),
    "convertsToQuantity": plain(_converts_to_quantity, 0, 1, gives=A_BOOLEAN),
}
