"""References inside a resource: to the container, to what is contained, to other entries."""

from typing import Any

import pytest

from carepath.validation import check_structure

Json = dict[str, Any]
URN = "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"


def observation(*contained: Any, **elements: Any) -> Json:
    inside = {"contained": [*contained]} if contained else {}
    head = {"resourceType": "Observation", "status": "final", "code": {"text": "c"}}
    return {**head, **inside, **elements}


def to(reference: str, **elements: Any) -> Json:
    return {"reference": reference, **elements}


def contained(resource_type: str, id: str, **elements: Any) -> Json:
    return {"resourceType": resource_type, "id": id, **elements}


def bundle(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [*entries]}


PATIENT, PLACE = contained("Patient", "a"), contained("Location", "a")
ORGANIZATION = {"fullUrl": URN, "resource": {"resourceType": "Organization"}}

CASES: dict[str, tuple[Json, list[str]]] = {
    "a bare # is the container": (
        observation(contained("DiagnosticReport", "r", status="final", code={"text": "c"},
                              result=[to("#")])),
        [],
    ),
    "what is contained may refer to what stands beside it": (
        observation(PATIENT, contained("Group", "g", type="person", actual=True,
                                       member=[{"entity": to("#a")}]), subject=to("#g")),
        [],
    ),
    "nothing has this id": (
        observation(PATIENT, subject=to("#b")), ["Observation.subject.reference"]),
    "it may be what cannot be read": (
        observation(PATIENT, 7, subject=to("#b")), ["Observation.contained[1]"]),
    "of two with one id the first counts": (
        observation(PATIENT, contained("Practitioner", "a"), subject=to("#a")),
        ["Observation.contained[1].id"],
    ),
    "another entry, of a wrong type": (
        bundle(ORGANIZATION, {"resource": observation(PLACE, subject=to(URN))}),
        ["Bundle.entry[1].resource.subject.reference"],
    ),
    "another entry, from inside of what is contained": (
        bundle(ORGANIZATION, {"resource": observation(
            contained("Encounter", "e", status="finished", **{"class": {"code": "AMB"}},
                      subject=to(URN)), encounter=to("#e"))}),
        ["Bundle.entry[1].resource.contained[0].subject.reference"],
    ),
    "a type that is not the one of the reference": (
        observation(focus=[to("Patient/1", type="Device")]), ["Observation.focus[0].type"]),
    "a type that is not the one of a version": (
        observation(focus=[to("Patient/1/_history/2", type="Device")]),
        ["Observation.focus[0].type"],
    ),
    "a type of another model is not compared": (
        observation(focus=[to("Patient/1", type="http://example.org/Patient")]), []),
    "nor is it where something else leads inside": (
        observation(PATIENT, subject=to("#a"),
                    focus=[to("Patient/1", type="http://example.org/Patient")]), []),
}  # fmt: skip


@pytest.mark.parametrize(("resource", "places"), CASES.values(), ids=CASES.keys())
def test_where_references_lead(resource: Json, places: list[str]) -> None:
    assert sorted(i.expression[0] for i in check_structure(resource)) == sorted(places)
