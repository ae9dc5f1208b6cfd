"""One patient's view of whatever was sent."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepath.errors import InputError, InvalidParameter, SubjectNotFound
from carepath.record import Record

PATIENT = {"resourceType": "Patient", "id": "p"}


def condition(id_: str, reference: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": id_, "subject": reference, **more}


def bundle(kind: str, *entries: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    content = [{**({"fullUrl": u} if u else {}), "resource": r} for u, r in entries]
    return {"resourceType": "Bundle", "type": kind, "entry": content}


def ids(record: Record, resource_type: str = "Condition") -> list[str]:
    return [resource["id"] for resource in record.resources(resource_type)]


@pytest.mark.parametrize(
    "kind",
    ["collection", "batch", "transaction", "message", "searchset", "document"],
)
def test_every_bundle_type_is_read(kind: str) -> None:
    content = bundle(kind, ("", PATIENT), ("", condition("c", {"reference": "Patient/p"})))
    assert ids(Record.of(content)) == ["c"]


def test_bare_resources_and_a_single_patient() -> None:
    assert ids(Record.of([PATIENT, condition("c", {"reference": "Patient/p"})])) == ["c"]
    assert Record.of(PATIENT).subject is PATIENT


@pytest.mark.parametrize(
    ("full_url", "reference"),
    [
        ("urn:uuid:6d0c3c52-7a1e-4d3e-9a51-000000000001", None),
        ("urn:uuid:pat-123", None),
        ("https://one.example/fhir/Patient/p", "Patient/p"),
        ("https://one.example/fhir/Patient/p", None),
        ("", "Patient/p"),
        ("", "Patient/p/_history/3"),
        ("", "https://other.example/Patient/p"),
        ("", "urn:uuid:p"),
    ],
)
def test_references_in_all_their_forms(full_url: str, reference: str | None) -> None:
    about = condition("c", {"reference": reference or full_url})
    record = Record.of(bundle("batch", (full_url, PATIENT), ("", about)))
    assert ids(record) == ["c"]


def test_reference_by_identifier() -> None:
    patient = {**PATIENT, "identifier": [{"system": "urn:x", "value": "7"}]}
    mine = condition("mine", {"identifier": {"system": "urn:x", "value": "7"}})
    theirs = condition("theirs", {"identifier": {"system": "urn:x", "value": "8"}})
    assert ids(Record.of([patient, mine, theirs])) == ["mine"]


def test_contained_resources_are_resolved_in_their_container() -> None:
    inside = {"resourceType": "Medication", "id": "m"}
    holder = {"resourceType": "MedicationRequest", "id": "r", "contained": [inside]}
    record = Record.of([PATIENT, holder])
    assert record.resolve("#m", holder) is inside
    assert record.resolve("#m") is None
    assert record.resolve({"reference": "#missing"}, holder) is None


def test_a_relative_reference_belongs_to_the_server_of_its_holder() -> None:
    one = {"resourceType": "Practitioner", "id": "d", "name": [{"text": "one"}]}
    two = {"resourceType": "Practitioner", "id": "d", "name": [{"text": "two"}]}
    holder = condition("c", {"reference": "Patient/p"})
    content = bundle(
        "collection",
        ("https://one.example/Patient/p", PATIENT),
        ("https://one.example/Practitioner/d", one),
        ("https://two.example/Practitioner/d", two),
        ("https://two.example/Condition/c", holder),
    )
    assert Record.of(content).resolve("Practitioner/d", holder) is two


def test_other_patients_never_leak() -> None:
    other = {"resourceType": "Patient", "id": "q"}
    content = [
        PATIENT,
        other,
        condition("mine", {"reference": "Patient/p"}),
        condition("theirs", {"reference": "Patient/q"}),
        condition("nobodys", {"display": "somebody"}),
        {"resourceType": "Organization", "id": "o"},
    ]
    record = Record.of(content)
    assert record.subject is None
    assert record.subjects == ("Patient/p", "Patient/q")
    mine = record.for_subject("Patient/p")
    assert ids(mine) == ["mine"]
    assert ids(mine, "Patient") == ["p"]
    assert ids(mine, "Organization") == ["o"]
    assert ids(record.for_subject("q")) == ["theirs"]


@pytest.mark.parametrize(
    ("resource_type", "element"),
    [
        ("Observation", "subject"),
        ("Immunization", "patient"),
        ("Task", "for"),
        ("Coverage", "beneficiary"),
        ("EnrollmentRequest", "candidate"),
        ("ResearchSubject", "individual"),
        ("AppointmentResponse", "actor"),
    ],
)
def test_whose_a_resource_is_by_any_element(resource_type: str, element: str) -> None:
    persons = [{**PATIENT, "id": id_} for id_ in ("p", "q")]
    about = [
        {"resourceType": resource_type, "id": id_, element: {"reference": f"Patient/{id_}"}}
        for id_ in ("p", "q")
    ]
    assert ids(Record.of([*persons, *about], "Patient/q"), resource_type) == ["q"]


@pytest.mark.parametrize("url", ["urn:oid:1.2.36.7", "urn:uuid:ab-1"])
def test_the_case_of_a_name_does_not_count(url: str) -> None:
    about = condition("c", {"reference": url.upper()})
    assert ids(Record.of(bundle("collection", (url, PATIENT), ("", about)))) == ["c"]


def test_who_only_states_to_be_a_patient_takes_part() -> None:
    """Of those who take part in an appointment the patient may be told by the type alone."""
    patient = {**PATIENT, "identifier": [{"system": "urn:x", "value": "7"}]}
    by_type = {"type": "Patient", "identifier": {"system": "urn:x", "value": "7"}}
    other = {"type": "Patient", "identifier": {"system": "urn:x", "value": "8"}}
    booked = [
        {"resourceType": "Appointment", "id": id_, "participant": [{"actor": actor}]}
        for id_, actor in (("mine", by_type), ("theirs", other))
    ]
    assert ids(Record.of([patient, *booked]), "Appointment") == ["mine"]


def test_a_stray_resource_is_reported_and_left_out() -> None:
    record = Record.of([PATIENT, condition("c", {"reference": "Patient/elsewhere"})])
    assert ids(record) == []
    (issue,) = record.issues()
    assert issue.severity == "information"
    assert "Condition/c" in issue.diagnostics


def test_what_names_nobody_belongs_to_the_only_patient() -> None:
    assert ids(Record.of([PATIENT, {"resourceType": "Condition", "id": "c"}])) == ["c"]


def test_codes_are_indexed_with_and_without_their_system() -> None:
    coded = {"coding": [{"system": "s", "code": "1"}, {"system": "t", "code": "2"}]}
    record = Record.of([PATIENT, condition("c", {"reference": "Patient/p"}, code=coded)])
    for code in ("1", "2", "s|1", "t|2"):
        assert [r["id"] for r in record.with_code("Condition", "code", code)] == ["c"]
    assert record.with_code("Condition", "code", "s|2") == ()


def test_subjects_that_are_not_there() -> None:
    with pytest.raises(SubjectNotFound) as missing:
        Record.of(PATIENT, "Patient/q")
    assert missing.value.reference == "Patient/q"
    with pytest.raises(InvalidParameter) as wrong:
        Record.of([PATIENT, {"resourceType": "Medication", "id": "m"}], "Medication/m")
    assert wrong.value.name == "subject"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["reference", "coding", "code", "identifier", "system", "value", "actor", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
resources = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(["Condition", "Observation", "Task", "Patient", "Strange"])},
    optional={
        name: json_values
        for name in ("id", "subject", "patient", "for", "code", "identifier", "participant")
    },
)


texts = st.sampled_from(
    ["", "Patient/p", "http://a.example/Patient/p", "urn:uuid:1", "Patient?identifier=1", "#c", "?"]
)
reference = st.fixed_dictionaries(
    {}, optional={"reference": texts | json_values, "identifier": json_values, "display": texts}
)
odd = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(["Patient", "Observation", "OperationOutcome", "Bundle"])},
    optional={
        "id": st.sampled_from(["p", "q"]),
        "subject": reference | json_values,
        "focus": st.lists(reference, max_size=2) | json_values,
        "encounter": reference | json_values,
        "contained": st.just([{"resourceType": "Patient", "id": "c"}]) | json_values,
        "name": st.lists(st.fixed_dictionaries({"family": json_values}), max_size=2) | json_values,
        "link": st.lists(
            st.fixed_dictionaries({"type": texts | st.just("replaced-by"), "other": reference}),
            max_size=2,
        )
        | json_values,
        "deceasedBoolean": json_values,
        "deceasedDateTime": json_values,
        "meta": st.fixed_dictionaries({"versionId": json_values, "lastUpdated": json_values}),
        "issue": json_values,
        "status": json_values,
    },
)
entry = st.fixed_dictionaries(
    {"resource": odd | json_values},
    optional={
        "fullUrl": texts | json_values,
        "request": st.fixed_dictionaries(
            {"method": st.sampled_from(["PUT", "DELETE", "GET", "PATCH"]) | json_values},
            optional={"url": texts | json_values},
        )
        | json_values,
        "response": st.fixed_dictionaries(
            {"status": st.sampled_from(["200", "404"]) | json_values, "outcome": odd | json_values}
        )
        | json_values,
        "search": json_values,
    },
)
bundles = st.fixed_dictionaries(
    {
        "resourceType": st.just("Bundle"),
        "type": st.sampled_from(["history", "searchset", "batch", "collection"]) | json_values,
        "entry": st.lists(entry | json_values, max_size=5) | json_values,
    },
    optional={"total": json_values, "link": json_values},
)


@given(bundles)
def test_a_bundle_of_any_form_is_read_or_refused(content: dict[str, Any]) -> None:
    before = copy.deepcopy(content)
    try:
        record = Record.of(content)
        for subject in record.subjects:
            view = record if record.subject is not None else record.for_subject(subject or "q")
            view = view.as_of(datetime(2026, 11, 27, tzinfo=UTC))
            for resource_type in view.types():
                assert len(view.resources(resource_type)) <= len(content["entry"])
            assert all(issue.diagnostics.endswith(".") for issue in view.issues())
            assert view.closed is None or view.closed.diagnostics.endswith(".")
    except InputError as error:
        assert str(error).endswith(".")
    assert content == before


@given(st.lists(resources | json_values, max_size=6))
def test_whatever_is_sent_is_read_without_a_change(content: list[Any]) -> None:
    before = copy.deepcopy(content)
    record = Record.of([PATIENT, *content])
    view = record if record.subject is not None else record.for_subject("Patient/p")
    for resource_type in view.types():
        for resource in view.resources(resource_type):
            assert resource["resourceType"] == resource_type
        view.with_codes(resource_type, "code", ["1"])
    view.issues()
    assert content == before
