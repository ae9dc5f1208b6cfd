"""What FHIR adds: extensions, values, profiles and narrative.

https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from carepath.fhirpath.functions.row import A_BOOLEAN, Result, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.access import add_children
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.evidence import child_of
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import EMPTY, of_truth, one, one_text
from carepath.fhirpath.values.types import (
    OBJECT,
    QUANTITY,
    STRING,
    Item,
    Items,
    item_of,
    model,
    system_value,
)

_CORE = "http://hl7.org/fhir/StructureDefinition/"


def _extension(_: Context, items: Items, url: Items) -> Items:
    wanted = one_text(url)
    if wanted is None:
        return EMPTY
    found: Items = []
    for item in items:
        children: Items = []
        add_children(item, "extension", children)
        found += [child_of(item, "extension", c) for c in children if c[0].get("url") == wanted]
    return found


def _has_value(_: Context, items: Items) -> Items:
    if len(items) != 1:
        return of_truth(False)
    return of_truth(_is_primitive(items[0]) and items[0][0] is not None)


def _is_primitive(item: Item) -> bool:
    """Tell whether FHIR has the item as a primitive; a quantity is an object there."""
    return item[1].primitive and item[1].kind not in (QUANTITY, OBJECT)


def _get_value(_: Context, items: Items) -> Items:
    if len(items) != 1 or not _is_primitive(items[0]):
        return EMPTY
    value = system_value(items[0])
    found = None if value is None else item_of(value)
    return [found] if found else EMPTY


def _conforms_to(context: Context, items: Items, profile: Items) -> Items:
    item, url = one(items), one_text(profile)
    if item is None or url is None:
        return EMPTY
    check = context.environment.conforms_to
    answer = check(item[0], url) if check is not None and isinstance(item[0], dict) else None
    if answer is None:
        answer = _conforms_to_core(item, url)
    return of_truth(answer)


def _conforms_to_core(item: Item, url: str) -> bool:
    """Tell whether an item is of the core type whose definition has this canonical."""
    name = url.partition("|")[0].removeprefix(_CORE)
    if not url.startswith(_CORE) or model().type_of(name) is None:
        raise Failure(f"the profile `{url}` is not known", [item])
    return name in item[1].ancestors


def _html_checks(_: Context, items: Items) -> Items:
    """Look at a narrative, or at a string as a piece of one; anything else has no answer."""
    item = one(items)
    if item is None or item[1].kind != STRING or not isinstance(item[0], str):
        return EMPTY
    from carepath.fhirpath import narrative  # noqa: PLC0415 - an HTML parser

    is_whole = item[1].name == "xhtml"
    is_safe = narrative.is_safe_narrative if is_whole else narrative.is_safe_html
    return of_truth(is_safe(item[0]))


FUNCTIONS: Table = {
    "extension": plain(_extension, 1, gives=Result("FHIR.Extension", of="below")),
    "hasValue": plain(_has_value, gives=A_BOOLEAN),
    "getValue": plain(_get_value),
    "conformsTo": plain(_conforms_to, 1, gives=A_BOOLEAN),
    "htmlChecks": plain(_html_checks, gives=A_BOOLEAN),
    "htmlChecks2": plain(_html_checks, gives=A_BOOLEAN),
}
