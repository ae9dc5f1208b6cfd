"""Rules on codes: what they catch, and that the shipped value sets and maps keep them."""

import json
from pathlib import Path
from typing import Any

import pytest

from carepath.authoring.lint.terminology import terminology_issues
from carepath.knowledge.check_digits import is_loinc_code, is_snomed_code

SHARED = Path(__file__).parents[2] / "pathways" / "shared"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"


def shared_definitions() -> list[dict[str, Any]]:
    """Return every definition under pathways/shared that this part ships."""
    folders = ("code-systems", "value-sets", "concept-maps", "libraries")
    files = [path for folder in folders for path in sorted((SHARED / folder).glob("*.json"))]
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def value_set(*concepts: tuple[str, str], system: str = SNOMED) -> dict[str, Any]:
    """Return a value set that lists codes with labels."""
    listed = [{"code": code, "display": display} for code, display in concepts]
    return {
        "resourceType": "ValueSet",
        "id": "vs",
        "compose": {"include": [{"system": system, "concept": listed}]},
    }


def activity(**coding: str) -> dict[str, Any]:
    """Return an ActivityDefinition with one coding."""
    return {"resourceType": "ActivityDefinition", "id": "ad", "code": {"coding": [coding]}}


@pytest.mark.parametrize("code", ["420120006", "424952003", "1155708003", "353431000119107"])
def test_accepts_snomed_codes_with_a_right_check_digit(code: str) -> None:
    assert is_snomed_code(code)


@pytest.mark.parametrize(
    "code", ["287854007", "30367100", "73847000", "420120005", "042012000", "12345", "42012000x"]
)
def test_refuses_snomed_codes_with_a_wrong_check_digit_or_form(code: str) -> None:
    assert not is_snomed_code(code)


@pytest.mark.parametrize("code", ["21889-1", "24627-2", "79103-8", "LA9633-4"])
def test_accepts_loinc_codes_with_a_right_check_digit(code: str) -> None:
    assert is_loinc_code(code)


@pytest.mark.parametrize("code", ["79101-9", "21889-2", "LP228803-5", "21889", "2188x-1"])
def test_refuses_loinc_codes_with_a_wrong_check_digit_or_form(code: str) -> None:
    assert not is_loinc_code(code)


def test_finds_nothing_wrong_with_the_shared_content() -> None:
    assert terminology_issues(shared_definitions()) == []


def test_tells_where_a_wrong_code_stands() -> None:
    (issue,) = terminology_issues([value_set(("287854007", "Fine needle biopsy"))])
    assert issue.expression == ("ValueSet/vs.compose.include[0].concept[0]",)
    assert issue.diagnostics == (
        "`287854007` is no code of `http://snomed.info/sct`: its form or check digit is wrong."
    )


def test_refuses_a_code_that_no_value_set_lists() -> None:
    (issue,) = terminology_issues([activity(system=SNOMED, code="420120006")])
    assert "nobody has verified it" in issue.diagnostics


def test_refuses_another_label_than_the_verified_one() -> None:
    listed = value_set(("24627-2", "CT Chest"), system=LOINC)
    wrong = activity(system=LOINC, code="24627-2", display="MRI brain")
    (issue,) = terminology_issues([listed, wrong])
    assert "carries the label `MRI brain`; expected `CT Chest`" in issue.diagnostics


def test_takes_spelling_case_and_semantic_tag_for_the_same_label() -> None:
    listed = value_set(("420120006", "Gastrointestinal stromal tumour"))
    same = activity(
        system=SNOMED, code="420120006", display="Gastrointestinal Stromal Tumor (disorder)"
    )
    assert terminology_issues([listed, same]) == []


def test_refuses_a_system_that_is_not_in_use() -> None:
    (issue,) = terminology_issues([activity(system="http://www.ama-assn.org/go/cpt", code="1")])
    assert "is not one that content may use" in issue.diagnostics


def test_leaves_systems_of_fhir_and_quantities_alone() -> None:
    definition = activity(system="http://terminology.hl7.org/CodeSystem/action-type", code="create")
    definition["quantity"] = {"system": "http://unitsofmeasure.org", "code": "cm", "value": 2}
    assert terminology_issues([definition]) == []


def test_finds_a_code_that_is_listed_twice() -> None:
    twice = value_set(("420120006", "GIST"), ("420120006", "GIST"))
    assert [issue.code for issue in terminology_issues([twice])] == ["duplicate"]


def test_finds_a_code_of_a_code_system_that_is_listed_twice() -> None:
    concepts = [{"code": "deep"}, {"code": "x", "concept": [{"code": "deep"}]}]
    system = {"resourceType": "CodeSystem", "id": "cs", "url": "u", "concept": concepts}
    assert [issue.code for issue in terminology_issues([system])] == ["duplicate"]


def test_finds_wrong_codes_in_expressions() -> None:
    expression = {"language": "text/fhirpath", "expression": "code = '420120005' or a = '21889-2'"}
    library = {"resourceType": "Library", "id": "l", "extension": [{"valueExpression": expression}]}
    issues = terminology_issues([library])
    assert [issue.expression for issue in issues] == [
        ("Library/l.extension[0].valueExpression.expression",)
    ] * 2


def test_keeps_codes_outside_the_global_patient_set_apart() -> None:
    """A value set either says that its SNOMED CT codes are free, or that they need a licence."""
    for definition in shared_definitions():
        if definition["resourceType"] == "ValueSet":
            needs_licence = definition["id"].endswith("-snomed-affiliate-vs")
            text = definition.get("copyright", "")
            assert ("affiliate licence" in text) == needs_licence, definition["id"]
            has_snomed = any(
                include.get("system") == SNOMED for include in definition["compose"]["include"]
            )
            assert has_snomed == ("SNOMED CT" in text), definition["id"]


def test_carries_the_loinc_notice_wherever_loinc_codes_stand() -> None:
    for definition in shared_definitions():
        if definition["resourceType"] == "ValueSet":
            includes = definition["compose"]["include"]
            has_loinc = any(include.get("system") == LOINC for include in includes)
            assert has_loinc == ("LOINC is copyright" in definition.get("copyright", ""))


def test_every_own_code_has_a_slot_in_each_concept_map() -> None:
    definitions = {
        (definition["resourceType"], definition["id"]): definition
        for definition in shared_definitions()
    }
    own = [concept["code"] for concept in definitions["CodeSystem", "mst-facts"]["concept"]]
    for name in ("mst-facts-to-snomed", "mst-facts-to-loinc"):
        elements = definitions["ConceptMap", name]["group"][0]["element"]
        assert [element["code"] for element in elements] == own
