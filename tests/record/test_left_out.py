"""What could not be read is not absent: whose it may be, and which versions it makes unread."""

from datetime import UTC, datetime
from typing import Any

import pytest

from carepath.record import ANY_TYPE, Record
from carepath.record.remarks import MOST_REMARKS

Json = dict[str, Any]
P: Json = {"resourceType": "Patient", "id": "p"}
Q: Json = {"resourceType": "Patient", "id": "q"}
SERVER = "https://a.example/fhir"


def procedure(id_: str = "x", subject: str = "Patient/p", **elements: Any) -> Json:
    about = {"subject": {"reference": subject}} if subject else {}
    return {"resourceType": "Procedure", "id": id_, **about, **elements}


def version(number: str, **elements: Any) -> Json:
    return procedure(meta={"versionId": number}, **elements)


def entry(resource: Json | None, **elements: Any) -> Json:
    held = {} if resource is None else {"resource": resource}
    return {**held, **elements}


def bundle(*entries: Json, **elements: Any) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [*entries], **elements}


DONE = {"status": "completed"}
GONE = {"request": {"method": "DELETE", "url": "Procedure/x"}}
SPECIMEN: Json = {"resourceType": "Specimen", "id": "s", "subject": {"reference": "Patient/q"}}

# What was sent with which resource left out of it, and for the patient p: what is unread and used.
CASES: dict[str, tuple[list[Any], Json, list[str], list[str]]] = {
    "the patient's": ([P], procedure(), ["Procedure/x"], []),
    "nobody's, with one patient": ([P], procedure(subject=""), ["Procedure/x"], []),
    "nobody's, with two": ([P, Q], procedure(subject=""), ["Procedure/x"], []),
    "the other patient's": ([P, Q], procedure(subject="Patient/q"), [], []),
    "of somebody who was not sent": ([P], procedure(subject="Patient/r"), [], []),
    "with a specimen of the other": ([P, Q, SPECIMEN], procedure(
        specimen={"reference": "Specimen/s"}), [], []),
    "entered in error": ([P], procedure(status="entered-in-error"), [], []),
    "without code, where another has one": (
        [P, procedure("y", **DONE)], procedure(), ["Procedure/x"], ["Procedure/y"]),
    "a newer version": (
        [P, version("1", **DONE)], version("2"), ["Procedure/x", "Procedure/x"], []),
    "an older version": ([P, version("2", **DONE)], version("1"), [], ["Procedure/x"]),
    "between two versions": (
        [P, version("1", **DONE), version("3", **DONE)], version("2"), [], ["Procedure/x"]),
    "of two readable ones the newest": (
        [P, version("1", **DONE), version("2", **DONE)], version("3"),
        ["Procedure/x", "Procedure/x"], []),
    "a version that nothing orders": (
        [P, procedure(**DONE)], procedure(), ["Procedure/x", "Procedure/x"], []),
    "the newest of a history": (
        [P, bundle(entry(procedure()), entry(procedure(**DONE)), type="history")], {},
        ["Procedure/x", "Procedure/x"], []),
    "the oldest of a history": (
        [P, bundle(entry(procedure(**DONE)), entry(procedure()), type="history")], {},
        [], ["Procedure/x"]),
    "deleted": ([P, bundle(entry(procedure()), entry(None, **GONE))], {}, [], []),
    "newer than its deletion": (
        [P, bundle(entry(procedure()), entry(None, **GONE), type="history")], {},
        ["Procedure/x"], []),
    "only asked for": (
        [P, bundle(entry(procedure(), request={"method": "GET", "url": "Procedure/x"}))], {},
        [], []),
    "a version by full URL, of another patient by now": (
        [P, Q, bundle(
            entry(procedure(), fullUrl=f"{SERVER}/Procedure/x"),
            entry(version("1", **DONE), fullUrl=f"{SERVER}/Procedure/x"))], {},
        [f"{SERVER}/Procedure/x", f"{SERVER}/Procedure/x"], []),
}  # fmt: skip


def parts_of(given: list[Any], left_out: Json) -> tuple[list[Any], list[Json]]:
    """Return the content and the resources that are left out: without any, all without status."""
    if left_out:
        return [*given, left_out], [left_out]
    held = [e["resource"] for e in given[-1]["entry"] if "resource" in e]
    return given, [resource for resource in held if "status" not in resource]


@pytest.mark.parametrize(("given", "left_out", "unread", "used"), CASES.values(), ids=CASES.keys())
def test_what_may_be_the_patients_is_unread(
    given: list[Any], left_out: Json, unread: list[str], used: list[str]
) -> None:
    content, unreadable = parts_of(given, left_out)
    record = Record.of(content, "Patient/p", left_out=unreadable)
    assert [record.reference_to(resource) for resource in record.unread()] == unread
    assert [record.reference_to(r) for r in record.resources("Procedure")] == used
    assert record.with_code("Procedure", "status", "completed") == record.resources("Procedure")
    # Whoever left it out has told so.
    assert record.remarks() == ()


def test_both_versions_say_what_may_be_true() -> None:
    """The older one has the code that cannot be read in the newer one."""
    old = version("1", code={"coding": [{"system": "urn:oid:2.16.840.1.113883.6.96", "code": "1"}]})
    record = Record.of([P, old, new := version("2")], left_out=[new])
    codes = [resource.get("code", {}).get("coding") for resource in record.unread("Procedure")]
    assert codes == [[{"system": "http://snomed.info/sct", "code": "1"}], None]
    assert record.resolve("Procedure/x") is None


def test_of_unknown_type_it_may_be_anything_about_a_person() -> None:
    odd = {"resourceType": ANY_TYPE, "id": "x"}
    record = Record.of([P, odd, {**odd, "id": "y"}], left_out=[odd])
    assert record.unread("Procedure") == ({"resourceType": "Procedure"},)
    assert record.unread("Organization") == ()
    assert Record.of([P, odd | {"subject": {"reference": "Patient/r"}}]).unread() == ()


def test_a_contained_patient_of_what_is_left_out_is_no_patient() -> None:
    odd = procedure(subject="#c", contained=[{**Q, "id": "c"}])
    fine = procedure("y", "#c", contained=[{**P, "id": "c", "gender": "female"}], **DONE)
    record = Record.of([odd, fine], left_out=[odd])
    assert record.subject == {**P, "id": "c", "gender": "female"}
    assert record.unread() == ()


def test_another_moment_reads_again() -> None:
    """The views of one content share what is nobody's, and each moment has its own."""
    record = Record.of([P, Q, odd := procedure(subject="")], left_out=[odd])
    for subject in ("Patient/p", "Patient/q"):
        view = record.for_subject(subject).as_of(datetime(2026, 1, 1, tzinfo=UTC))
        assert view.unread() == (odd,)


def test_of_very_many_remarks_the_gravest_are_told() -> None:
    stray = [procedure(f"s{n}", "Patient/r", **DONE) for n in range(MOST_REMARKS)]
    strange = [procedure(f"m{n}", implicitRules="urn:x", **DONE) for n in range(3)]
    record = Record.of([P, *stray, *strange])
    record.resources("Procedure")
    told = [(remark.rule, remark.reference) for remark in record.remarks()]
    assert told == [
        *(("another person", f"Procedure/s{n}") for n in range(MOST_REMARKS - 3)),
        *(("not understood", f"Procedure/m{n}") for n in range(3)),
        ("remarks", ""),
    ]
    assert record.remarks()[-1].sentence == "3 more remarks about the data are not shown."


@pytest.mark.parametrize(
    ("display", "called"),
    [
        ("Van der Berg, Anna", "Patient/p"),
        ("anna van der berg", "Patient/p"),
        ("'t Hoen", "Patient/q"),
        ("Berg", None),
        ("Van der Bergen", None),
        ("Van der Berg and 't Hoen", None),
    ],
)
def test_a_display_names_by_the_whole_family_name(display: str, called: str | None) -> None:
    people = [
        P | {"name": [{"family": "Van der Berg"}, {"family": "-"}]},
        Q | {"name": [{"text": "'t Hoen"}, {"family": 7}]},
    ]
    record = Record.of([*people, {**procedure(subject=""), "subject": {"display": display}}])
    found = [s for s in record.subjects if record.for_subject(s).resources("Procedure")]
    assert found == ([] if called is None else [called])


def test_a_guess_is_told_to_whom_it_concerns() -> None:
    held = [procedure(name, f"{SERVER}/Patient/{name}", **DONE) for name in "pq"]
    record = Record.of([P, Q, *held])
    for name in "pq":
        view = record.for_subject(f"Patient/{name}")
        view.resources("Procedure")
        assert [remark.reference for remark in view.remarks()] == [f"Patient/{name}"]
