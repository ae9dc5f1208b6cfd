"""A request that a dynamicValue makes about somebody else than the subject.

https://hl7.org/fhir/R4/activitydefinition.html#12.17.3.3
"""

from collections.abc import Iterator
from typing import Any

from carepath.issues import Issue
from carepath.resources import Resource

_TAKING_PART = ("participant", "recipient")
"""Where a request holds the subject among others."""


def about_another(resource: Resource, element: str, common: Resource) -> tuple[Issue, ...]:
    """Return a warning when the subject of a request is no longer the one it was made for.

    `element` is where the request holds its subject, `common` what was put there first.
    """
    was, now = common.get(element), resource.get(element)
    if not element or now is was or _name(now) == _name(was):
        return ()
    return (_warning(element),)


def with_another(resource: Resource, before: Resource, subject: Resource) -> tuple[Issue, ...]:
    """Return a warning for each element in which another patient takes the place of the subject.

    `before` is the request as it was without dynamicValues.
    """
    own = subject.get("reference")
    changed = (n for n in _TAKING_PART if resource.get(n) is not before.get(n))
    return tuple(_warning(n) for n in changed if _is_another(set(_patients(resource[n])), own))


def _is_another(patients: set[str], own: object) -> bool:
    return bool(patients) and patients != {own}


def _patients(value: Any) -> Iterator[str]:
    """Yield the references to Patients in a value."""
    if isinstance(value, list):
        for item in value:
            yield from _patients(item)
    elif isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str) and reference.rpartition("/")[0].endswith("Patient"):
            yield reference
        for item in value.values():
            yield from _patients(item)


def _warning(element: str) -> Issue:
    text = f"A dynamicValue set `{element}` to another than the one whom the plan is applied to."
    return Issue("warning", "business-rule", text)


def _name(reference: object) -> object:
    first = reference[0] if isinstance(reference, list) and reference else reference
    return first.get("reference") if isinstance(first, dict) else first
