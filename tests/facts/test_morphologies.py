"""The sarcoma range of ICD-O-3 is read by rule: no morphology in it ends in silence."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.authoring.cases import Case, run_case
from carepath.knowledge import Knowledge

KNOWLEDGE = Knowledge.shipped()
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ICD_O = "http://terminology.hl7.org/CodeSystem/icd-o-3"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
RANGE = (
    *range(8800, 8940),
    *(8714, 8963, 8980),
    *range(8990, 9000),
    *range(9040, 9050),
    *(n for n in range(9120, 9180) if n != 9140),
    *(9231, 9251, 9252, 9260, 9364, 9365),
    *range(9540, 9590),
)
"""Soft tissue, fibrous, fatty, muscular, mixed, synovial, vascular and nerve sheath tumours.

9140 is Kaposi sarcoma, which has no pathway here.
"""
SAMPLED = sorted({*RANGE[::7], 8714, 8963, 9231, 9251, 9252, 9364, 9365, 8811, 8815, 9043})
OTHER_CANCERS = (8010, 8070, 8140, 8500, 8720, 9140, 9590)


def proposed(*codings: tuple[str, str]) -> set[str]:
    """Return the activities proposed to a woman with one confirmed tumour of these codes."""
    tumour = {
        "resourceType": "Condition",
        "id": "tumour",
        "subject": {"reference": "Patient/p"},
        "verificationStatus": _coded("condition-ver-status", "confirmed"),
        "clinicalStatus": _coded("condition-clinical", "active"),
        "code": {"coding": [{"system": system, "code": code} for system, code in codings]},
    }
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1966-05-04"}
    case = Case(Path("x"), "", NOW, "mst-pathway", {}, [patient, tumour], {})
    return {
        (decision.definition or "").partition("|")[0].rpartition("/")[2]
        for decision in run_case(case, KNOWLEDGE).decisions
        if decision.request
    }


def _coded(system: str, code: str) -> dict[str, Any]:
    url = f"http://terminology.hl7.org/CodeSystem/{system}"
    return {"coding": [{"system": url, "code": code}]}


@pytest.mark.parametrize("morphology", SAMPLED)
def test_a_sarcoma_morphology_alone_asks_or_proposes(morphology: int) -> None:
    answer = proposed((ICD_O, f"{morphology}/3"))
    assert answer & {"refer-sarcoma-centre", "task-collect-missing-data"}


@pytest.mark.parametrize("morphology", SAMPLED)
def test_a_sarcoma_morphology_in_soft_tissue_is_referred(morphology: int) -> None:
    assert "refer-sarcoma-centre" in proposed((ICD_10, "C49.2"), (ICD_O, f"{morphology}/3"))


@pytest.mark.parametrize("site", ["C47.1", "C48.0", "C48.1", "C49", "C49.2", "C49.9"])
def test_a_malignant_site_code_of_soft_tissue_alone_asks_or_proposes(site: str) -> None:
    assert proposed((ICD_10, site)) & {"refer-sarcoma-centre", "task-collect-missing-data"}


@pytest.mark.parametrize("morphology", ["9185/3", "9231/3", "9240/3"])
@pytest.mark.parametrize("site", ["C47.1", "C48.0", "C49.2"])
def test_a_morphology_of_bone_that_is_not_excluded_asks_in_soft_tissue(
    site: str, morphology: str
) -> None:
    assert "task-collect-missing-data" in proposed((ICD_10, site), (ICD_O, morphology))


@pytest.mark.parametrize("site", ["C40.2", "C49.2"])
@pytest.mark.parametrize("morphology", ["9180/3", "9220/3"])
def test_an_excluded_morphology_proposes_nothing(site: str, morphology: str) -> None:
    assert proposed((ICD_10, site), (ICD_O, morphology)) <= {"comm-support-line"}


def test_a_sarcoma_of_bone_proposes_nothing() -> None:
    assert proposed((ICD_10, "C40.2"), (ICD_O, "9240/3")) <= {"comm-support-line"}


@pytest.mark.parametrize("morphology", OTHER_CANCERS)
def test_the_morphology_of_another_cancer_proposes_nothing(morphology: int) -> None:
    assert proposed((ICD_O, f"{morphology}/3")) <= {"comm-support-line"}
