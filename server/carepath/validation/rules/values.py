"""Data types: sizes, identifiers, extensions, codings and canonicals that contradict themselves.

https://hl7.org/fhir/R4/datatypes.html and https://hl7.org/fhir/R4/extensibility.html
"""

import base64
import binascii
from collections.abc import Iterator

from carepath.errors import ExpressionError
from carepath.fhirpath import parse
from carepath.issues import Issue
from carepath.r4.published import published_type
from carepath.validation.rules.rule import Rules, fault, is_absolute, text_of
from carepath.validation.walker import Item, definition_of

_URI_SYSTEM = "urn:ietf:rfc:3986"


def _attachment(item: Item) -> Iterator[Issue]:
    """Hold the size of an attachment to its data."""
    size, data = item.members.get("size"), text_of(item.members, "data")
    if not data or not isinstance(size, int):
        return
    try:
        actual = len(base64.b64decode("".join(data.split()), validate=True))
    except (binascii.Error, ValueError):
        return  # The structure check has said it.
    if actual != size:
        yield fault(f"{item.path}.size", f"is not the number of bytes in `data`, which is {actual}")


def _identifier(item: Item) -> Iterator[Issue]:
    value = text_of(item.members, "value")
    if item.members.get("system") == _URI_SYSTEM and value and not is_absolute(value):
        yield fault(f"{item.path}.value", f"is no URI, as the system `{_URI_SYSTEM}` says")


def _coding(item: Item) -> Iterator[Issue]:
    system = text_of(item.members, "system")
    place = f"{item.path}.system"
    if system and not is_absolute(system):
        yield fault(place, "is not an absolute URI")
    elif published_type(system) == "ValueSet":
        yield fault(place, "is the URL of a value set, not that of a code system")


def _canonical(item: Item) -> Iterator[Issue]:
    """Hold what R4 itself publishes to the types that a canonical may lead to."""
    if not isinstance(item.value, str):
        return
    actual = published_type(item.value.partition("|")[0])
    owner, _, name = item.definition.rpartition(".")
    element = definition_of(item._replace(type=owner), name)
    allowed = element.targets if element is not None else ()
    if actual and allowed and "Resource" not in allowed and actual not in allowed:
        wanted = ", ".join(allowed)
        yield fault(item.path, f"leads to a {actual}; expected is {wanted}", "structure")


def _expression(item: Item) -> Iterator[Issue]:
    """Read an expression that says it is FHIRPath."""
    text = text_of(item.members, "expression")
    if item.members.get("language") != "text/fhirpath" or not text:
        return
    try:
        parse(text)
    except ExpressionError as error:
        because = str(error).partition("\n")[0].rstrip(".")
        yield fault(f"{item.path}.expression", f"is no FHIRPath: {because}")


RULES: Rules = {
    "Attachment": _attachment,
    "Coding": _coding,
    "Expression": _expression,
    "Identifier": _identifier,
    "canonical": _canonical,
}
