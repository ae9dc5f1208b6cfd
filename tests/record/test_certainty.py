"""The certainty marks of ICD-10-GM: https://ig.fhir.de/basisprofile-de/"""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepath.record.certainty import with_certainty

GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
KBV = "https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_DIAGNOSESICHERHEIT"
URL = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def mark(value: Any, url: Any = URL, kind: str = "valueCoding") -> dict[str, Any]:
    coding = {"system": KBV, "code": value} if kind == "valueCoding" else value
    return {"url": url, kind: coding}


def condition(
    code: str = "C49.2", *extensions: Any, system: str = GM, **more: Any
) -> dict[str, Any]:
    coding: dict[str, Any] = {"system": system, "code": code}
    if extensions:
        coding["extension"] = list(extensions)
    return {"resourceType": "Condition", "code": {"coding": [coding]}, **more}


def verified(code: str) -> dict[str, Any]:
    return {"coding": [{"system": VERIFICATION, "code": code}]}


def clinical(code: str) -> dict[str, Any]:
    return {"coding": [{"system": CLINICAL, "code": code}]}


def says(letter: str, words: str) -> str:
    return f"The ICD-10-GM mark `{letter}` (diagnosesicherheit) says {words}"


REFUTED = {"verificationStatus": verified("refuted")}
PROVISIONAL = {"verificationStatus": verified("provisional")}
UNCONFIRMED = {"verificationStatus": verified("unconfirmed")}
CONFIRMED = {"verificationStatus": verified("confirmed")}
RESOLVED = {"clinicalStatus": clinical("resolved")}
A = says("A", "excluded") + ": `verificationStatus` was read as `refuted`"
V = says("V", "suspected") + ": `verificationStatus` was read as `provisional`"
Z = says("Z", "status post") + ": `clinicalStatus` was read as `resolved`"
G = says("G", "certain") + ": `verificationStatus` was read as `confirmed`"


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        (condition("C49.2", mark("A")), REFUTED, f"{A}."),
        (condition("C49.2", mark("V")), PROVISIONAL, f"{V}."),
        (condition("C49.2", mark("Z")), RESOLVED, f"{Z}."),
        (condition("C49.2", mark("G")), CONFIRMED, f"{G}."),
        (
            condition("C49.2", mark("Q")),
            UNCONFIRMED,
            says("Q", "nothing that is known")
            + ": `verificationStatus` was read as `unconfirmed`.",
        ),
        (
            condition("C49.2", {"url": URL}),
            UNCONFIRMED,
            says("?", "nothing that is known")
            + ": `verificationStatus` was read as `unconfirmed`.",
        ),
        (condition("C49.2 A"), REFUTED, f"{A}."),
        (condition("C492VL"), PROVISIONAL, f"{V}."),
        (condition("c49.2 g r"), CONFIRMED, f"{G}."),
        (
            condition("C49.2X"),
            UNCONFIRMED,
            says("X", "nothing that is known")
            + ": `verificationStatus` was read as `unconfirmed`.",
        ),
        (
            condition("C49.2 A", system="http://fhir.de/CodeSystem/dimdi/icd-10-gm"),
            REFUTED,
            f"{A}.",
        ),
        (condition("C49.2 A", system="urn:oid:1.2.276.0.76.5.409"), REFUTED, f"{A}."),
        # The most careful of several marks.
        (condition("C49.2 G", mark("A")), REFUTED, f"{A}."),
        (condition("C49.2 GV"), PROVISIONAL, f"{V}."),
    ],
)
def test_a_mark_gives_the_status_that_it_means(sent: Any, status: Any, sentence: str) -> None:
    before = copy.deepcopy(sent)
    assert with_certainty(sent) == ({**before, **status}, sentence)
    assert sent == before


@pytest.mark.parametrize(
    "extension",
    [
        mark("A", "https://fhir.kbv.de/StructureDefinition/KBV_EX_ERP_Diagnosesicherheit"),
        mark("A", "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit|1.0"),
        mark("A", "http://fhir.de/StructureDefinition/ICD-10-GM-DIAGNOSESICHERHEIT/"),
        mark("A", kind="valueCode"),
        mark(" a ", kind="valueString"),
        mark("Ausgeschlossene Diagnose", kind="valueString"),
        mark({"coding": [{"code": "A"}]}, kind="valueCodeableConcept"),
        mark({"text": "ausgeschlossen"}, kind="valueCodeableConcept"),
    ],
)
def test_the_mark_is_found_in_all_its_spellings(extension: dict[str, Any]) -> None:
    sent = condition("C49.2", extension)
    assert with_certainty(sent) == ({**sent, **REFUTED}, f"{A}.")


@pytest.mark.parametrize(
    "place",
    [
        lambda made: {**condition(), "extension": [made]},
        lambda made: {**condition(), "code": {"coding": [], "extension": [made]}},
        lambda made: {
            "resourceType": "Condition",
            "code": {"coding": [{"_code": {"extension": [made]}}]},
        },
    ],
)
def test_the_mark_is_found_wherever_it_stands(place: Any) -> None:
    sent = place(mark("A"))
    assert with_certainty(sent) == ({**sent, **REFUTED}, f"{A}.")


@pytest.mark.parametrize(
    ("letter", "sent_status", "status", "sentence"),
    [
        ("A", CONFIRMED, REFUTED, f"{A}, although it says `confirmed`."),
        ("A", PROVISIONAL, REFUTED, f"{A}, although it says `provisional`."),
        ("V", CONFIRMED, PROVISIONAL, f"{V}, although it says `confirmed`."),
        (
            "V",
            REFUTED,
            REFUTED,
            says("V", "suspected") + ", but `verificationStatus` says `refuted`, which was kept.",
        ),
        (
            "G",
            PROVISIONAL,
            PROVISIONAL,
            says("G", "certain") + ", but `verificationStatus` says `provisional`, which was kept.",
        ),
        (
            "V",
            {"verificationStatus": verified("differential")},
            {"verificationStatus": verified("differential")},
            says("V", "suspected")
            + ", but `verificationStatus` says `differential`, which was kept.",
        ),
        (
            "Z",
            {"clinicalStatus": clinical("active")},
            RESOLVED,
            f"{Z}, although it says `active`.",
        ),
        (
            "Z",
            {"clinicalStatus": clinical("recurrence")},
            {"clinicalStatus": clinical("recurrence")},
            says("Z", "status post") + ", but `clinicalStatus` says `recurrence`, which was kept.",
        ),
        ("A", {"verificationStatus": {"text": "sure"}}, REFUTED, f"{A}."),
    ],
)
def test_the_more_careful_of_mark_and_status_holds(
    letter: str, sent_status: Any, status: Any, sentence: str
) -> None:
    sent = condition("C49.2", mark(letter), **sent_status)
    assert with_certainty(sent) == ({**sent, **status}, sentence)


@pytest.mark.parametrize(
    "sent",
    [
        condition(),
        condition("C49.2 R"),
        condition("C49.2", mark("G"), **CONFIRMED),
        condition("C49.2", mark("A"), **REFUTED),
        condition("C49.2", mark("Z"), **RESOLVED),
        condition("C49.2", mark("G"), verificationStatus={"text": "sure"}),
        condition("C49.2", mark("A", "http://fhir.de/StructureDefinition/seitenlokalisation")),
        condition("C49.2", mark("A", ["diagnosesicherheit"]), "no extension"),
        condition("C49.2A", system="http://hl7.org/fhir/sid/icd-10"),
        condition("sarcoma A"),
        {"resourceType": "Condition"},
        {"resourceType": "Condition", "code": "C49.2 A", "extension": {}},
        {"resourceType": "Condition", "code": {"coding": ["C49.2 A", {"code": 1, "system": GM}]}},
        {"resourceType": "Observation", "code": {"coding": [{"system": GM, "code": "C49.2 G"}]}},
        {"resourceType": "MedicationRequest", "code": [], "valueCodeableConcept": "C49.2 A"},
        {},
    ],
)
def test_without_a_mark_that_says_more_it_is_the_same_resource(sent: dict[str, Any]) -> None:
    found, sentence = with_certainty(sent)
    assert found is sent
    assert sentence is None


@pytest.mark.parametrize("name", ["code", "valueCodeableConcept"])
def test_other_resources_lose_the_codes_that_do_not_apply(name: str) -> None:
    sure, doubted = {"system": GM, "code": "C49.2 G"}, {"system": GM, "code": "C49.2 A"}
    sent = {"resourceType": "Observation", name: {"coding": [doubted, sure], "text": "sarcoma"}}
    only = {"resourceType": "Observation", name: {"coding": [doubted], "text": "sarcoma"}}
    sentence = says("A", "excluded") + f": the code in `{name}` was not read."
    kept = {"resourceType": "Observation", name: {"coding": [sure], "text": "sarcoma"}}
    none = {"resourceType": "Observation", name: {"text": "sarcoma"}}
    assert with_certainty(sent) == (kept, sentence)
    assert with_certainty(only) == (none, sentence)


def test_a_mark_beside_a_concept_is_of_all_its_codes() -> None:
    codings = [{"system": GM, "code": "C49.2"}, {"system": "http://x.example", "code": "1"}]
    concept = {"coding": codings, "extension": [mark("V")]}
    sent = {"resourceType": "Observation", "code": concept, "valueCodeableConcept": concept}
    bare = {"extension": [mark("V")]}
    told = says("V", "suspected")
    assert with_certainty(sent) == (
        {"resourceType": "Observation", "code": bare, "valueCodeableConcept": bare},
        f"{told}: the code in `code` was not read. "
        f"{told}: the code in `valueCodeableConcept` was not read.",
    )


NAMES = st.sampled_from(
    ["code", "coding", "_code", "extension", "url", "valueCoding", "valueCodeableConcept", "system"]
)
VALUES = st.sampled_from([GM, URL, "C49.2 A", "Q", "Condition"]) | st.none() | st.integers()
JSON = st.recursive(
    VALUES, lambda inside: st.lists(inside, max_size=2) | st.dictionaries(NAMES, inside, max_size=4)
)


@given(st.dictionaries(NAMES | st.just("verificationStatus"), JSON), st.booleans())
def test_whatever_is_sent_is_read_and_not_changed(sent: dict[str, Any], is_condition: bool) -> None:
    sent = {**sent, "resourceType": "Condition" if is_condition else "Observation"}
    before = copy.deepcopy(sent)
    found, sentence = with_certainty(sent)
    assert sent == before
    assert (found is sent) or sentence is not None
