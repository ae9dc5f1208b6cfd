"""The record of a subject that is no Patient: what is about it, and what is about others.

https://hl7.org/fhir/R4/valueset-subject-type.html
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from carepath.errors import InvalidParameter, InvalidResource
from carepath.record import Record

Json = dict[str, Any]
NOW = datetime(2026, 3, 31, tzinfo=UTC)
GROUP = {"resourceType": "Group", "id": "g", "member": [{"entity": {"reference": "Patient/p"}}]}
WARD = {"resourceType": "Location", "id": "w", "status": "active"}
PATIENT = {"resourceType": "Patient", "id": "p", "deceasedBoolean": True}
CLINIC = {"resourceType": "Organization", "id": "c"}


def observation(id_: str, **subject: Any) -> Json:
    return {"resourceType": "Observation", "id": id_, "status": "final", **subject}


DATA = [
    GROUP,
    WARD,
    PATIENT,
    CLINIC,
    observation("of-group", subject={"reference": "Group/g"}),
    observation("of-ward", subject={"reference": "Location/w"}),
    observation("of-patient", subject={"reference": "Patient/p"}),
    observation("of-nobody"),
]


@pytest.mark.parametrize(
    ("subject", "own"), [("Group/g", "of-group"), ("Location/w", "of-ward"), ("Patient/p", None)]
)
def test_what_names_the_subject_is_theirs(subject: str, own: str | None) -> None:
    record = Record.of(DATA, subject).as_of(NOW)
    found = [r["id"] for r in record.resources("Observation")]
    # What names nobody is the only patient's; a Group is never the only one around.
    assert found == ([own] if own else ["of-patient", "of-nobody"])
    assert [r["id"] for r in record.resources("Organization")] == ["c"]


def test_members_are_reached_and_are_not_the_subject() -> None:
    record = Record.of(DATA, "Group/g").as_of(NOW)
    assert record.subject is not None
    assert record.subject["id"] == "g"
    member = record.subject["member"][0]["entity"]
    assert record.resolve(member) == PATIENT
    assert record.resources("Patient") == ()
    assert record.closed is None


def test_what_is_not_used_is_told() -> None:
    record = Record.of(DATA, "Group/g").as_of(NOW)
    record.resources("Observation")
    assert [remark.sentence for remark in record.remarks()] == [
        "`Observation/of-ward` was not used: it is about another resource of type Location.",
        "`Observation/of-nobody` was not used: it does not say whom or what it is about.",
    ]


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (WARD | {"status": "inactive"}, "Location/w"),
        (WARD | {"status": "suspended"}, "Location/w"),
        (GROUP | {"active": False}, "Group/g"),
    ],
)
def test_a_subject_that_is_not_in_use_is_told(subject: Json, name: str) -> None:
    record = Record.of([subject], name).as_of(NOW)
    assert [remark.sentence for remark in record.remarks()] == [
        f"`{name}` is marked as not in use."
    ]


@pytest.mark.parametrize(
    ("subject", "name"),
    [(WARD, "Location/w"), (GROUP, "Group/g"), (GROUP | {"active": True}, "Group/g")],
)
def test_a_subject_in_use_needs_no_word(subject: Json, name: str) -> None:
    assert Record.of([subject], name).as_of(NOW).remarks() == ()


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (
            {"resourceType": "Device", "id": "x", "status": "entered-in-error"},
            "one that was not entered in error",
        ),
        (
            observation("x"),
            "a reference to a Patient, Practitioner, PractitionerRole, Organization, Location, "
            "Device or Group",
        ),
    ],
)
def test_what_can_have_no_plan_is_refused(subject: Json, expected: str) -> None:
    name = f"{subject['resourceType']}/x"
    with pytest.raises(InvalidParameter) as refused:
        Record.of([subject], name).as_of(NOW)
    assert str(refused.value) == f"The parameter `subject` is `{name}`; expected {expected}."


def test_a_subject_that_says_what_nobody_understands_is_refused() -> None:
    strange = {**GROUP, "modifierExtension": [{"url": "http://x.example/y", "valueBoolean": True}]}
    with pytest.raises(InvalidResource) as refused:
        Record.of([strange], "Group/g").as_of(NOW)
    assert refused.value.issues[0].expression == ("Group",)
