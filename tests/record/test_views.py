"""What comes out of a record: one object for each resource, in every view and by every way."""

import copy
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from carepath.record import Record

PATIENT = {"resourceType": "Patient", "id": "p"}
NOW = datetime(2026, 11, 27, tzinfo=UTC)
LOINC, OID = "http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"


def observation(id_: str, *codings: tuple[str, str], **more: Any) -> dict[str, Any]:
    coding = [{"system": system, "code": code} for system, code in codings]
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {**({"coding": coding} if coding else {}), **more},
    }


SENT = [
    PATIENT,
    observation("url", (LOINC, "1-1")),
    observation("oid", ("urn:x", "local"), (OID, "1-1")),
    observation("other", (LOINC, "2-2")),
    observation("local", ("urn:x", "1-1")),
    observation("words", text="Size of the Tumour"),
    observation("display", ("urn:x", "9")) | {"code": {"coding": [{"display": "Tumour size"}]}},
    {**observation("none"), "code": {}},
]


@pytest.mark.parametrize(
    ("codes", "more", "found"),
    [
        ([f"{LOINC}|1-1"], {}, ["url", "oid"]),
        ([f"{OID}|1-1"], {}, ["url", "oid"]),
        (["1-1"], {}, ["url", "oid", "local"]),
        (["urn:x|1-1", f"{LOINC}|2-2"], {}, ["other", "local"]),
        (["urn:y|1-1"], {}, []),
        (["urn:y|1-1"], {"words": lambda text: "tumour" in text}, ["words", "display"]),
        (["urn:y|1-1"], {"unreadable": True}, ["local", "words", "display", "none"]),
    ],
)
def test_resources_are_found_by_their_codes(
    codes: list[str], more: dict[str, Any], found: list[str]
) -> None:
    selected = Record.of(SENT).with_codes("Observation", "code", codes, **more)
    assert [resource["id"] for resource in selected] == found


def test_every_way_leads_to_one_object_that_is_written_one_way() -> None:
    before = copy.deepcopy(SENT)
    record = Record.of(SENT)
    later = record.as_of(NOW)
    (_, oid) = record.with_code("Observation", "code", f"{LOINC}|1-1")
    assert oid["code"]["coding"][1] == {"system": LOINC, "code": "1-1"}
    assert record.resolve("Observation/oid") is oid
    assert record.resources("Observation")[1] is oid
    assert later.resources("Observation")[1] is oid
    assert record.reference_to(oid) == record.reference_to(SENT[2]) == "Observation/oid"
    assert record.resources("Observation")[0] is SENT[1]
    assert before == SENT


def test_a_reference_from_a_copy_is_read_as_from_what_was_sent() -> None:
    """The copy stands on the server of what it is a copy of."""
    server = "https://a.example/fhir"
    held = {**observation("o", (OID, "1-1")), "hasMember": [{"reference": "Observation/m"}]}
    content = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": f"{server}/Patient/p", "resource": PATIENT},
            {"fullUrl": f"{server}/Observation/o", "resource": held},
            {"fullUrl": f"{server}/Observation/m", "resource": observation("m", (LOINC, "3-3"))},
            {
                "fullUrl": "https://b.example/Observation/m",
                "resource": observation("m", (LOINC, "4-4")),
            },
        ],
    }
    record = Record.of(content)
    holder = record.with_code("Observation", "code", f"{LOINC}|1-1")[0]
    assert holder is not held
    found = record.resolve(held["hasMember"][0], holder)
    assert found is content["entry"][2]["resource"]
    assert record.reference_to(found) == f"{server}/Observation/m"


def test_a_code_that_is_marked_as_excluded_selects_nothing() -> None:
    """In whatever resource: the mark A of ICD-10-GM says that it is not so."""
    excluded = observation("o", ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "C49.2 A"))
    record = Record.of([PATIENT, excluded])
    assert record.with_code("Observation", "code", "C49.2") == ()
    assert [remark.rule for remark in record.remarks()] == ["certainty"]


def test_what_may_not_be_used_is_not_found_by_reference_either() -> None:
    wrong = {**observation("o", (LOINC, "1-1")), "status": "entered-in-error"}
    strange = {**observation("n", (LOINC, "1-1")), "implicitRules": "urn:x"}
    record = Record.of([PATIENT, wrong, strange])
    assert record.issues() == ()
    assert record.resolve("Observation/o") is None
    assert record.unread() == ()
    assert record.resolve("Observation/n") is None
    assert record.unread("Observation") == (strange,)
    assert record.unread("Condition") == ()
    assert [remark.rule for remark in record.remarks()] == ["entered in error", "not understood"]
    assert [remark.reference for remark in record.remarks()] == ["Observation/o", "Observation/n"]


def test_only_what_was_asked_for_is_told() -> None:
    stray = observation("o", (LOINC, "1-1")) | {"subject": {"reference": "Patient/other"}}
    record = Record.of([PATIENT, stray, {**stray, "id": "n", "code": {}}])
    assert record.with_code("Observation", "code", f"{LOINC}|1-1") == ()
    assert [remark.reference for remark in record.remarks()] == ["Observation/o"]
    record.resources("Observation")
    assert [remark.reference for remark in record.remarks()] == ["Observation/o", "Observation/n"]


def test_the_time_grows_with_the_record_and_no_faster() -> None:
    def seconds(count: int) -> float:
        many = [observation(f"o{n}", (LOINC, f"{n}-0")) for n in range(count)]
        bundle = {
            "resourceType": "Bundle",
            "entry": [
                {"fullUrl": f"https://a.example/{r['resourceType']}/{r['id']}", "resource": r}
                for r in [PATIENT, *many]
            ],
        }
        best = 1.0
        for _ in range(5):
            started = time.process_time()
            found = Record.of(bundle).with_codes("Observation", "code", [f"{LOINC}|7-0"])
            best = min(best, time.process_time() - started)
            assert [resource["id"] for resource in found] == ["o7"]
        return best

    seconds(2000)
    # The clock of a process may tick every few milliseconds only.
    assert seconds(16_000) < 8 * max(seconds(2000), 0.004) * 3
