"""A deployment without a SNOMED CT licence deletes the affiliate value sets; the rest goes on."""

from pathlib import Path

import pytest

from carepath.authoring.fact_cases import NOON, read_fact_cases, work_out
from carepath.knowledge import Knowledge

CASES = {case.name: case for case in read_fact_cases(Path(__file__).parent / "cases")}


@pytest.fixture(scope="module")
def without(shared: Knowledge) -> Knowledge:
    """Return the shared content without the affiliate value sets."""
    return Knowledge.of(
        definition
        for resource_type in shared.types()
        for definition in shared.all(resource_type)
        if not definition["id"].endswith("-snomed-affiliate-vs")
    )


@pytest.mark.parametrize(
    "name",
    [
        "type-by-code: SNOMED CT only",
        "type-by-code: WHO ICD-10 with ICD-O-3 in the extension",
        "type-by-code: ICD-10-CM for GIST",
        "negatives: carcinoma of the stomach",
        "metastasis: lung metastasis",
        "resection: excision completed, worked up before",
    ],
)
def test_free_codes_are_still_known(name: str, without: Knowledge, shared: Knowledge) -> None:
    case = CASES[name]
    names = ["type", "mesenchymal", "m", "inScope"]
    found, whole = (work_out(names, case.given, k, case.library) for k in (without, shared))
    assert [found[n]["value"] for n in names] == [whole[n]["value"] for n in names]


def test_a_code_that_was_dropped_leaves_the_type_open(without: Knowledge) -> None:
    code = {
        "system": "http://snomed.info/sct",
        "code": "404069006",
        "display": "Myxoid liposarcoma (disorder)",
    }
    condition = {"resourceType": "Condition", "id": "c", "code": {"coding": [code]}}
    patient = {"resourceType": "Patient", "id": "p"}
    library = CASES["type-by-code: SNOMED CT only"].library
    found = work_out(["type", "inScope"], [patient, condition], without, library, now=NOON)
    assert found["inScope"]["value"] is None
    assert found["inScope"]["missing"] == ["type"]
