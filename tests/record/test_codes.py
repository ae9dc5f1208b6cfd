"""One writing of every code: https://hl7.org/fhir/R4/terminologies-systems.html

`code_systems.json` lists by canonical URL how else a system is written, `codes.json` by system and
code how else a code is.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepath.record.codes import (
    base_system,
    canonical_code,
    canonical_system,
    is_known,
    split_icd_10_gm,
    with_canonical_codes,
)

HERE = Path(__file__).parent
SYSTEMS = json.loads((HERE / "code_systems.json").read_text("utf-8"))
CODES = json.loads((HERE / "codes.json").read_text("utf-8"))
PATHWAYS = HERE.parents[1] / "pathways"
SNOMED, LOINC, UCUM = "http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"


@pytest.mark.parametrize(
    ("url", "written"), [(url, text) for url in SYSTEMS for text in (url, *SYSTEMS[url])]
)
def test_a_known_system_has_one_url(url: str, written: str) -> None:
    assert canonical_system(written) == url
    assert is_known(written)


@pytest.mark.parametrize(
    "system",
    [
        *("", " ", "|1", "http://", "http://hospital.example/codes"),
        *("http://hospital.example/codes|2", " http://hospital.example/codes "),
        *("http://snomed.info/sct?fhir_vs", "http://snomed.info/id/370612006"),
        *("http://snomed.info/sct/module", "http://snomed.info/sct/1/version/", "urn:oid:1.2.3"),
        *("http://loinc.org.example", "http://hl7.org/fhir/observation-status"),
        *("urn:oid:2.16.840.1.113883.6.9999", "2.16.840.1.113883.6.960", "urn:uuid:1"),
        *("urn:oid:2.16.840.1.113883.6.43.2", "http://hl7.org/fhir/sid/icd-10-xx"),
    ],
)
def test_an_unknown_system_stays_as_it_is(system: str) -> None:
    assert canonical_system(system) == system
    assert not is_known(system)


@pytest.mark.parametrize(
    ("system", "code", "written"),
    [
        (system, code, text)
        for system, codes in CODES.items()
        for code in codes
        for text in (code, *codes[code])
    ],
)
def test_a_code_has_one_writing(system: str, code: str, written: str) -> None:
    assert canonical_code(system, written) == code


def test_every_code_that_the_content_names_is_written_that_way() -> None:
    other = [
        (include["system"], concept["code"])
        for path in sorted((PATHWAYS / "shared" / "value-sets").glob("*.json"))
        for include in json.loads(path.read_text("utf-8")).get("compose", {}).get("include", ())
        for concept in include.get("concept", ())
        if canonical_system(include["system"]) != include["system"]
        or canonical_code(include["system"], concept["code"]) != concept["code"]
    ]
    assert other == []


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("C49.2", ("C49.2", "")),
        ("c492 v l", ("C49.2", "VL")),
        ("C49.2X", ("C49.2", "X")),
        ("C49", ("C49", "")),
        ("sarcoma", None),
        ("", None),
    ],
)
def test_the_letters_behind_a_german_code(code: str, parts: tuple[str, str] | None) -> None:
    assert split_icd_10_gm(code) == parts


@pytest.mark.parametrize(
    ("system", "base"),
    [
        (GM, "http://hl7.org/fhir/sid/icd-10"),
        ("http://hl7.org/fhir/sid/icd-10-nl", "http://hl7.org/fhir/sid/icd-10"),
        ("urn:oid:1.2.246.537.6.1.1999", "http://hl7.org/fhir/sid/icd-10"),
        ("http://hl7.org/fhir/sid/icd-10-cm", None),
        ("http://hl7.org/fhir/sid/icd-10", None),
        (SNOMED, None),
        ("", None),
    ],
)
def test_national_editions_keep_the_codes_of_the_who(system: str, base: str | None) -> None:
    assert base_system(system) == base


ODD = {
    "resourceType": "Observation",
    "id": "size",
    "text": {"status": "generated", "div": "<div>urn:oid:2.16.840.1.113883.6.96</div>"},
    "identifier": [{"system": "urn:oid:2.16.840.1.113883.6.1", "value": "la-1"}],
    "contained": [{"resourceType": "Patient", "id": "p"}],
    "code": {
        "coding": [
            {"system": "urn:oid:2.16.840.1.113883.6.1", "code": " 33728-7 ", "display": "Size"},
            {"system": "http://hospital.example", "code": "c492"},
        ],
        "text": "size",
    },
    "subject": {"reference": "Patient/p"},
    "component": [
        {"valueQuantity": {"value": 3, "system": "urn:oid:2.16.840.1.113883.6.8", "code": "cm"}},
        {"valueString": "3 cm"},
        {"valueQuantity": {"value": 3, "system": UCUM, "code": "cm "}},
    ],
}


def test_codes_are_rewritten_in_a_copy_of_what_holds_them() -> None:
    sent = copy.deepcopy(ODD)
    found = with_canonical_codes(sent)
    assert sent == ODD
    assert found == {
        **ODD,
        "code": {
            "coding": [
                {"system": LOINC, "code": "33728-7", "display": "Size"},
                {"system": "http://hospital.example", "code": "c492"},
            ],
            "text": "size",
        },
        "component": [
            {"valueQuantity": {"value": 3, "system": UCUM, "code": "cm"}},
            {"valueString": "3 cm"},
            {"valueQuantity": {"value": 3, "system": UCUM, "code": "cm"}},
        ],
    }
    for name in ("text", "identifier", "contained", "subject"):
        assert found[name] is sent[name]
    assert found["component"][1] is sent["component"][1]
    assert with_canonical_codes(found) is found


SIDE = "http://fhir.de/StructureDefinition/seitenlokalisation"


def on_side(letter: str) -> dict[str, Any]:
    system = "https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_SEITENLOKALISATION"
    return {"url": SIDE, "valueCoding": {"system": system, "code": letter}}


@pytest.mark.parametrize(
    ("code", "own", "sides"),
    [
        ("C49.2 B", [], [on_side("B")]),
        ("C49.2 GR", [], [on_side("R")]),
        ("C49.2 L", [{"url": "urn:x"}], [{"url": "urn:x"}, on_side("L")]),
        ("C49.2 R", [on_side("L")], [on_side("L")]),
        ("C49.2 G", [], []),
    ],
)
def test_the_side_in_a_german_code_becomes_an_extension(
    code: str, own: list[Any], sides: list[Any]
) -> None:
    sent = {"system": GM, "code": code} | ({"extension": own} if own else {})
    (found,) = with_canonical_codes({"coding": [sent]})["coding"]
    expected = {"system": GM, "code": "C49.2"} | ({"extension": sides} if sides else {})
    assert found == expected


def test_many_codes_in_one_list_are_rewritten() -> None:
    coding = {"system": "urn:oid:2.16.840.1.113883.6.96", "code": "1"}
    found = with_canonical_codes({"coding": [dict(coding) for _ in range(3000)]})
    assert found == {"coding": [{"system": SNOMED, "code": "1"}] * 3000}


@pytest.mark.parametrize(
    "odd",
    [
        {"code": "1"},
        {"system": "urn:oid:2.16.840.1.113883.6.96"},
        {"system": ["urn:oid:2.16.840.1.113883.6.96"], "code": "1"},
        {"system": "urn:oid:2.16.840.1.113883.6.96", "code": 1},
        {"system": None, "code": None},
        {"code": [], "system": {}},
        {"coding": None, "value": [[]], "text": {"system": "LOINC", "code": " 1"}},
    ],
)
def test_what_is_no_code_stays_the_same_object(odd: dict[str, Any]) -> None:
    sent = {"resourceType": "Observation", "code": odd}
    assert with_canonical_codes(sent) is sent


ALL_SYSTEMS = st.sampled_from(
    [*SYSTEMS, *(text for texts in SYSTEMS.values() for text in texts), "http://h.example", "x"]
)
ALL_CODES = st.sampled_from(
    [text for codes in CODES.values() for code, texts in codes.items() for text in (code, *texts)]
) | st.text(alphabet="Cc49.2AGVZRLB/M803-*!+ \u2020xHGNC:", max_size=10)
CODINGS = st.fixed_dictionaries({"system": ALL_SYSTEMS, "code": ALL_CODES})
RESOURCES = st.fixed_dictionaries(
    {"code": st.fixed_dictionaries({"coding": st.lists(CODINGS, max_size=3)})},
    optional={
        "valueQuantity": CODINGS,
        "component": st.lists(st.fixed_dictionaries({"c": CODINGS})),
    },
)


@given(ALL_SYSTEMS, ALL_CODES)
def test_one_writing_is_final(system: str, code: str) -> None:
    url = canonical_system(system)
    written = canonical_code(url, code)
    assert canonical_system(url) == url
    assert canonical_code(url, written) == written
    assert canonical_code(url, f" {code}\t") == written


@given(RESOURCES)
def test_a_resource_in_one_writing_is_returned_itself(resource: dict[str, Any]) -> None:
    before = copy.deepcopy(resource)
    found = with_canonical_codes(resource)
    assert resource == before
    assert (found is resource) == (found == resource)
    assert with_canonical_codes(found) is found


@given(st.text(max_size=30))
def test_any_text_is_a_system_or_none(text: str) -> None:
    assert is_known(text) or canonical_system(text) == text
