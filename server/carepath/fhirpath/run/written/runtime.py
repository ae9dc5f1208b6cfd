"""What the written functions call by name."""

from typing import Any

from carepath.fhirpath.values.access import ADDERS
from carepath.fhirpath.values.comparison import equal, equal_items
from carepath.fhirpath.values.known import Known, items_of
from carepath.fhirpath.values.results import EMPTY, OF_TRUTH, as_truth, one_text
from carepath.fhirpath.values.types import COMPLEX, MANY, PRIMITIVE, STRING, Item, Items, TypeInfo

UNSET = object()
"""Stands for what no round of a loop has computed yet."""


def dicts(values: list[Any], child: TypeInfo) -> Items:
    """Return the elements of a list as items of a type."""
    return [(each, child) for each in values if type(each) is dict]


def text_of_item(item: Item) -> str | None:
    """Return the text of one item as `one_text` does that of a collection."""
    value = item[0]
    return value if type(value) is str and item[1].kind == STRING else one_text([item])


RUNTIME: dict[str, Any] = {
    "__builtins__": {
        "len": len,
        "type": type,
        "list": list,
        "dict": dict,
        "bool": bool,
    },
    "ADDERS": ADDERS,
    "COMPLEX": COMPLEX,
    "EMPTY": EMPTY,
    "Known": Known,
    "MANY": MANY,
    "OF_TRUTH": OF_TRUTH,
    "PRIMITIVE": PRIMITIVE,
    "STRING": STRING,
    "UNSET": UNSET,
    "as_truth": as_truth,
    "dicts": dicts,
    "equal": equal,
    "equal_items": equal_items,
    "one_text": one_text,
    "items_of": items_of,
    "text_of_item": text_of_item,
}
