"""What careless senders do to resources: a function for each habit.

Some change nothing of what is said, some lose a datum; none invents one.  A sender has a few habits
and has them in some resources only.

https://hl7.org/fhir/R4/references.html and https://hl7.org/fhir/R4/datatypes.html
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from carepath.resources import Resource

_SERVER = "https://hospital.example/fhir"
_LOCAL = "https://hospital.example/codes"
_OIDS: Mapping[str, str] = {
    "http://snomed.info/sct": "urn:oid:2.16.840.1.113883.6.96",
    "http://loinc.org": "urn:oid:2.16.840.1.113883.6.1",
    "http://hl7.org/fhir/sid/icd-10": "urn:oid:2.16.840.1.113883.6.3",
}
_DATES = ("effectiveDateTime", "performedDateTime", "onsetDateTime", "authoredOn", "recordedDate")
_TOUCHED = 0.4
"""How many of the resources a habit shows in."""

Habit = Callable[[Resource], Resource]


def sent(given: Sequence[Resource], draw: Random) -> list[Resource]:
    """Return the resources as a careless sender sends them; the Patient stays as it is."""
    habits = draw.sample(HABITS, draw.randint(1, 3))
    made: list[Resource] = [given[0]]
    for resource in given[1:]:
        for habit in habits:
            if draw.random() < _TOUCHED:
                resource = habit(resource)  # noqa: PLW2901 - one habit after another
        made.append(resource)
    if draw.random() < _TOUCHED:
        # The same resource sent twice, as exports that overlap do.
        made.append(made[-1])
    return made


def _without_a_date(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name not in _DATES}


def _with_a_time(resource: Resource) -> Resource:
    return {n: f"{v}T00:00:00Z" if n in _DATES and "T" not in v else v for n, v in resource.items()}


def _with_a_month_only(resource: Resource) -> Resource:
    return {n: v[:7] if n in _DATES else v for n, v in resource.items()}


def _with_a_local_code(resource: Resource) -> Resource:
    """Put a code of the house first, as an interface engine does."""
    code = resource.get("code")
    if not isinstance(code, dict) or "coding" not in code:
        return resource
    local = {"system": _LOCAL, "code": f"L{code['coding'][0].get('code', '')}"}
    return {**resource, "code": {**code, "coding": [local, *code["coding"]]}}


def _with_oids(resource: Resource) -> Resource:
    """Name code systems by their OIDs."""
    made: Resource = _replaced(resource, "system", lambda text: _OIDS.get(text, text))
    return made


def _with_full_urls(resource: Resource) -> Resource:
    """Refer by the address on the server."""
    made: Resource = _replaced(resource, "reference", lambda text: f"{_SERVER}/{text}")
    return made


def _without_a_status(resource: Resource) -> Resource:
    """Leave out an element that R4 requires."""
    return {name: value for name, value in resource.items() if name != "status"}


def _with_numbers_as_text(resource: Resource) -> Resource:
    quantity = resource.get("valueQuantity")
    if not isinstance(quantity, dict):
        return resource
    return {**resource, "valueQuantity": {**quantity, "value": str(quantity.get("value"))}}


def _with_elements_of_its_own(resource: Resource) -> Resource:
    return {**resource, "x_source": "interface 7"}


def _with_a_note(resource: Resource) -> Resource:
    """Add a narrative that says nothing."""
    div = '<div xmlns="http://www.w3.org/1999/xhtml">See report.</div>'
    return {**resource, "text": {"status": "generated", "div": div}}


HABITS: tuple[Habit, ...] = (
    _without_a_date,
    _with_a_time,
    _with_a_month_only,
    _with_a_local_code,
    _with_oids,
    _with_full_urls,
    _without_a_status,
    _with_numbers_as_text,
    _with_elements_of_its_own,
    _with_a_note,
)


def _replaced(value: Any, name: str, change: Callable[[str], str]) -> Any:
    """Return a copy of a value in which every text under a name is changed."""
    if isinstance(value, dict):
        return {
            key: change(inner)
            if key == name and isinstance(inner, str)
            else _replaced(inner, name, change)
            for key, inner in value.items()
        }
    return [_replaced(item, name, change) for item in value] if isinstance(value, list) else value
