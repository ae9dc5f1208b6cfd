"""Coded elements against the value sets that a profile binds them to.

https://hl7.org/fhir/R4/terminologies.html#strength

The local terminology answers; a value set that it does not know gives an informational issue.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from carepath.issues import Issue
from carepath.resources import codings
from carepath.validation.walker import Item, required_binding


class Membership(Protocol):
    """What is asked of a terminology."""

    def member_of(self, coding: Mapping[str, Any], value_set: str) -> bool | None:
        """Tell whether a coding is in a value set; None when the value set is not known."""

    def has(self, system: str, code: str, version: str = "") -> bool | None:
        """Tell whether a code system has a code; None when that cannot be known here."""


def binding_issues(
    item: Item, binding: Mapping[str, Any], terminology: Membership
) -> Iterator[Issue]:
    """Yield what breaks a binding of a profile in a coded element."""
    strength = binding.get("strength")
    value_set = str(binding.get("valueSet", ""))
    found = _codings(item)
    if strength not in ("required", "extensible") or not value_set or found is None:
        return
    if value_set.partition("|")[0] == required_binding(item).partition("|")[0]:
        return  # R4 itself binds the element so, and the structure check has said it.
    answers = [terminology.member_of(coding, value_set) for coding in found]
    if True in answers:
        return
    if None in answers:
        text = f"The value set `{value_set}` is not known here; the codes were not checked."
        yield Issue("information", "not-supported", text, (item.path,))
    elif strength == "required":
        text = f"None of the codes is in the value set `{value_set}`, which is required."
        yield Issue("error", "code-invalid", text, (item.path,))
    elif found:
        text = f"None of the codes is in the value set `{value_set}`, which is to be preferred."
        yield Issue("warning", "code-invalid", text, (item.path,))


def _codings(item: Item) -> list[Mapping[str, Any]] | None:
    """Return the codings of a coded element; None for an element that is not coded."""
    value = item.value
    if item.type == "CodeableConcept":
        return list(codings(value))
    if item.type == "Coding" and isinstance(value, dict):
        return [value]
    if item.type == "Quantity" and isinstance(value, dict):
        return [{key: value[key] for key in ("system", "code") if key in value}]
    if isinstance(value, str):
        return [{"code": value}]
    return None
