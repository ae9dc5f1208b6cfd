"""What may change the meaning of a resource and is not understood.

https://hl7.org/fhir/R4/extensibility.html#modifierExtension,
https://hl7.org/fhir/R4/resource-definitions.html#Resource.implicitRules,
https://hl7.org/fhir/STU3/procedure.html, https://hl7.org/fhir/DSTU2/procedure.html and
https://hl7.org/fhir/R5/medicationstatement.html

Modifier extensions and implicit rules may turn a resource into its contrary; so may elements that
other versions of FHIR have for it, and one of R4 that is there without a value.  Any other element
that R4 does not know is left alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from carepath.resources import Resource, codings


def _as_it_is(value: Any) -> Any:
    return value


def _only_code(value: Any) -> Any:
    """Return the code of an element that holds a concept as `code`; itself where it has not one."""
    concept = value.get("code") if isinstance(value, dict) else None
    codes = {code for c in codings(concept) if isinstance(code := c.get("code"), str)}
    return codes.pop() if len(codes) == 1 else value


class _Negation(NamedTuple):
    """An element that says no, the values with which it does not, and how to read its value."""

    version: str
    harmless: tuple[Any, ...]
    read: Callable[[Any], Any] = _as_it_is


_FORBIDDEN = _Negation("R4", (False, True))
"""What R4 says is read by whoever asks; only without a value nobody knows what is said."""

_ANY_TYPE: Mapping[str, _Negation] = {
    "abatementBoolean": _Negation("STU3", (False,)),
    "doNotPerform": _FORBIDDEN,
    "notDone": _Negation("STU3", (False,)),
    "notGiven": _Negation("STU3", (False,)),
    "notPerformed": _Negation("DSTU2", (False,)),
    "wasNotGiven": _Negation("DSTU2", (False,)),
    "wasNotTaken": _Negation("DSTU2", (False,)),
    "notDoneReason": _Negation("STU3", ([],)),
    "notDoneReasonCodeableConcept": _Negation("STU3", ()),
    "notDoneReasonReference": _Negation("STU3", ()),
    "notPerformedReason": _Negation("R5", ()),
    "reasonNotGiven": _Negation("STU3", ([],)),
    "reasonNotPerformed": _Negation("DSTU2", ([],)),
    "reasonNotTaken": _Negation("STU3", ([],)),
}
"""Procedure, Communication and so on had them; the name says the same wherever it stands.  The
first ended a Condition.

Who gives a reason for not doing something did not do it, even where the element that says so
is missing.
"""

_TAKEN = tuple(
    f"{what}{how}"
    for what in ("taking", "on-hold", "stopped")
    for how in ("", "-as-directed", "-not-as-directed")
)
"""How R5 says that a drug is, or was, taken."""

_OF_TYPE: Mapping[str, Mapping[str, _Negation]] = {
    "AllergyIntolerance": {"status": _Negation("DSTU2", ("active", "confirmed", "unconfirmed"))},
    "Goal": {
        "status": _Negation(
            "STU3",
            (
                *("proposed", "planned", "accepted", "in-progress", "on-target"),
                *("ahead-of-target", "behind-target", "sustaining", "achieved"),
            ),
        )
    },
    "MedicationStatement": {
        "adherence": _Negation("R5", _TAKEN, _only_code),
        "taken": _Negation("STU3", ("y",)),
    },
    "Patient": {"animal": _Negation("STU3", ())},
}

_TELLING = frozenset(
    {
        *("contained", "implicitRules", "_implicitRules"),
        *_ANY_TYPE,
        *(f"_{name}" for name in _ANY_TYPE),
    }
)
"""The elements without which a resource says nothing of this kind, or else of these types."""

_TELLING_TYPES = frozenset({"CarePlan", *_OF_TYPE})

_OF_DETAIL: Mapping[str, _Negation] = {
    "doNotPerform": _FORBIDDEN,
    "prohibited": _Negation("STU3", (False,)),
}
"""In `CarePlan.activity.detail`: R4 and STU3 have different names for the same."""

_LONGEST = 120
"""How many characters of a value are told."""


def not_understood(resource: Resource) -> str | None:
    """Return why a resource must not be read, as half a sentence; None when it may be.

    It goes on from the name of the resource: "says `notDone` = `true`, an element of FHIR STU3
    that negates", "carries the modifier extension `http://x` at `component[0]`".
    """
    for path, part in _resources_in(resource):
        found = _implicit_rules(part, path) or _negation(part, path)
        if found:
            return found
    return _modifier_extension(resource)


def may_deny(resource: Resource) -> bool:
    """Tell quickly whether `not_understood` can find more than modifier extensions."""
    return not _TELLING.isdisjoint(resource) or resource.get("resourceType") in _TELLING_TYPES


def _resources_in(resource: Resource) -> Iterator[tuple[str, Resource]]:
    """Yield the resource and those it contains, with the path to each."""
    yield "", resource
    contained = resource.get("contained")
    if isinstance(contained, list):
        for place, part in enumerate(contained):
            if isinstance(part, dict):
                yield f"contained[{place}]", part


def _implicit_rules(resource: Resource, path: str) -> str | None:
    if resource.get("implicitRules") is None and resource.get("_implicitRules") is None:
        return None
    return (
        f"was written under the implicit rules {_quoted(resource.get('implicitRules'))}{_at(path)}"
    )


def _negation(resource: Resource, path: str) -> str | None:
    """Return what a resource denies in words that are not read."""
    start = f"{path}." if path else ""
    resource_type = resource.get("resourceType")
    own = _OF_TYPE.get(resource_type, {}) if isinstance(resource_type, str) else {}
    for table in (_ANY_TYPE, own):
        found = _denied_by(table, resource, start)
        if found is not None:
            return found
    if resource_type == "CarePlan":
        for where, detail in _details(resource):
            found = _denied_by(_OF_DETAIL, detail, f"{start}{where}.")
            if found is not None:
                return found
    return None


def _denied_by(
    table: Mapping[str, _Negation], element: Mapping[str, Any], start: str
) -> str | None:
    """Return what an element denies by one of some properties."""
    for name, negation in table.items():
        if (name in element or f"_{name}" in element) and _denies(element, name, negation):
            return _said(element, name, start, negation)
    return None


def _denies(element: Mapping[str, Any], name: str, negation: _Negation) -> bool:
    """Tell whether an element is there and does not plainly say that nothing is denied."""
    value = element.get(name)
    if value is None:
        return element.get(f"_{name}") is not None
    value = negation.read(value)
    return not any(value == said and type(value) is type(said) for said in negation.harmless)


def _said(element: Mapping[str, Any], name: str, start: str, negation: _Negation) -> str:
    return (
        f"says `{start}{name}` = {_quoted(negation.read(element.get(name)))}, "
        f"an element of FHIR {negation.version} that negates"
    )


def _quoted(value: Any) -> str:
    """Return a value for a sentence, cut where it is long."""
    if value is None:
        return "(no value)"
    # A text keeps its quotes where it would look like a boolean.
    plain = isinstance(value, str) and value not in {"", "true", "false"}
    text = value if plain else json.dumps(value, default=str)
    return f"`{text[:_LONGEST]}`"


def _details(care_plan: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the activities of a CarePlan that are described in it."""
    activities = care_plan.get("activity")
    for place, activity in enumerate(activities if isinstance(activities, list) else ()):
        detail = activity.get("detail") if isinstance(activity, dict) else None
        if isinstance(detail, dict):
            yield f"activity[{place}].detail", detail


def _modifier_extension(resource: Resource) -> str | None:
    """Return which modifier extension stands where in a resource."""
    found = _steps_to_modifier(resource)
    if found is None:
        return None
    extensions, *steps = found
    return f"carries the modifier extension {_urls(extensions)}{_at(''.join(steps[::-1])[1:])}"


def _steps_to_modifier(element: dict[str, Any]) -> list[Any] | None:
    """Return a `modifierExtension` at any depth and the steps to it, the innermost first."""
    for name, value in element.items():
        kind = type(value)
        if name == "modifierExtension":
            if value is not None and value != []:
                return [value]
        elif kind is dict:
            found = _steps_to_modifier(value)
            if found is not None:
                return [*found, f".{name}"]
        elif kind is list:
            for place, item in enumerate(value):
                if type(item) is dict:
                    found = _steps_to_modifier(item)
                    if found is not None:
                        return [*found, f".{name}[{place}]"]
    return None


def _urls(extensions: Any) -> str:
    """Return the URL of the first extension."""
    first = extensions[0] if isinstance(extensions, list) else extensions
    url = first.get("url") if isinstance(first, dict) else None
    return _quoted(url) if isinstance(url, str) else "(no URL)"


def _at(path: str) -> str:
    return f" at `{path}`" if path else ""
