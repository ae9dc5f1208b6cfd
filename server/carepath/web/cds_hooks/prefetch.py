"""What a plan wants to be sent beside the call, and what of it a call brings.

https://cds-hooks.hl7.org/2.0/#providing-fhir-resources-to-a-cds-service

A key that is absent, an OperationOutcome and one page of many are all data that nobody has read;
`null` says that there is none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carepath.deadline import paced
from carepath.r4.search import subject_parameter
from carepath.resources import Resource

PATIENT = "patient"
_PATIENT_ID = "{{context.patientId}}"
_GRAVE = ("error", "fatal")


@dataclass(frozen=True, slots=True)
class Sent:
    """A resource that came with a call, and where in the body it stands."""

    resource: Any
    place: str
    full_url: Any = None


def templates(requirements: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the queries for the Patient and for each type that a plan requires, by key.

    They are the plainest there are, so that any EHR can answer them.
    """
    found = {PATIENT: f"Patient/{_PATIENT_ID}"}
    for name in sorted({str(requirement.get("type")) for requirement in requirements}):
        parameter = subject_parameter(name)
        if parameter is not None:
            found[name[:1].lower() + name[1:]] = f"{name}?{parameter}={_PATIENT_ID}"
    return found


def filled(template: str, patient: str) -> str:
    """Return a query for one patient, by id."""
    return template.replace(_PATIENT_ID, patient)


def missing(wanted: Mapping[str, str], prefetch: Mapping[str, Any]) -> dict[str, str]:
    """Return why each wanted key brings no data, as half a sentence, by key."""
    reasons = {key: _reason(key, prefetch) for key in wanted}
    return {key: reason for key, reason in reasons.items() if reason}


def sent_in(value: Any, place: str) -> Iterator[Sent]:
    """Yield the resources in a value of the prefetch or the context: of a Bundle each entry's."""
    if not isinstance(value, dict):
        return
    entries = value.get("entry")
    if value.get("resourceType") != "Bundle":
        yield Sent(value, place)
    for index, entry in enumerate(paced(entries if isinstance(entries, list) else ())):
        if isinstance(entry, dict) and "resource" in entry and not _is_remark(entry["resource"]):
            inside = f"{place}.entry[{index}].resource"
            yield Sent(entry["resource"], inside, entry.get("fullUrl"))


def _reason(key: str, prefetch: Mapping[str, Any]) -> str:
    if key not in prefetch:
        return "is absent"
    value = prefetch[key]
    if value is None:
        return "says that there is no such Patient" if key == PATIENT else ""
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        return "is no FHIR resource"
    if value["resourceType"] == "OperationOutcome":
        return "says that it could not be read"
    return _reason_of_bundle(value) if value["resourceType"] == "Bundle" else ""


def _reason_of_bundle(bundle: Resource) -> str:
    if any(link.get("relation") == "next" for link in _objects(bundle.get("link"))):
        return "is the first page of several"
    for entry in _objects(bundle.get("entry")):
        found = entry.get("resource") or {}
        if _is_remark(found) and any(
            issue.get("severity") in _GRAVE for issue in _objects(found.get("issue"))
        ):
            return "came with errors"
    return ""


def _is_remark(resource: Any) -> bool:
    return isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome"


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
