"""The examples of the mCODE guide as input: nothing breaks, nobody is taken for a sarcoma patient.

https://hl7.org/fhir/us/mcode/STU4/

None of the 179 examples is a sarcoma: the rhabdomyosarcoma assessments among them speak of a
Condition that is coded as a metastatic malignant neoplasm, nothing more.
"""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from carepath.apply import ApplyRequest, apply_plan
from carepath.authoring.fact_cases import NOON
from carepath.knowledge import Knowledge
from carepath.record import Record

FactsOf = Callable[..., dict[str, Any]]
PACKAGE = "hl7.fhir.us.mcode@4.0.0"
REFERENCES = ("subject", "patient")

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the examples, fetched by npm; skip where there is no npm or no registry."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, and the examples come as an npm package")
    folder = tmp_path_factory.mktemp("mcode")
    command = [npm, "pack", PACKAGE, "--silent"]
    packed = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    if packed.returncode != 0:
        pytest.skip(f"the package registry does not give {PACKAGE}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    files = sorted((folder / "package" / "example").glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def reference(resource: dict[str, Any]) -> str:
    """Return the reference to the patient that a resource speaks of."""
    return next((resource[key]["reference"] for key in REFERENCES if key in resource), "")


def test_there_are_179_examples(examples: list[dict[str, Any]]) -> None:
    assert len(examples) == 179


def test_no_patient_of_the_examples_is_in_scope(
    examples: list[dict[str, Any]], facts_of: FactsOf, main_facts: set[str]
) -> None:
    patients = [e for e in examples if e["resourceType"] == "Patient"]
    others = [e for e in examples if e["resourceType"] not in ("Patient", "Bundle")]
    scopes = {}
    for patient in patients:
        name = f"Patient/{patient['id']}"
        about = [e for e in others if reference(e) in ("", name)]
        found = facts_of(sorted(main_facts | {"inScope"}), [patient, *about])
        scopes[name] = (found["inScope"]["value"], found["type"]["value"])
    assert scopes == {f"Patient/{p['id']}": (False, None) for p in patients}


def test_no_single_example_brings_a_patient_into_scope(
    examples: list[dict[str, Any]], facts_of: FactsOf
) -> None:
    in_scope = []
    for example in examples:
        if example["resourceType"] in ("Patient", "Bundle"):
            continue
        patient = {"resourceType": "Patient", "id": reference(example).rpartition("/")[2] or "x"}
        found = facts_of(["inScope", "type", "m", "kit", "stage"], [patient, example])
        if found["inScope"]["value"] is not False:
            in_scope.append(example["id"])
    assert in_scope == []


def test_no_bundle_of_the_examples_is_in_scope(
    examples: list[dict[str, Any]], facts_of: FactsOf
) -> None:
    bundles = [e for e in examples if e["resourceType"] == "Bundle"]
    contents = [[entry["resource"] for entry in bundle["entry"]] for bundle in bundles]
    found = [facts_of(["inScope", "type"], content) for content in contents]
    assert [f["inScope"]["value"] for f in found] == [False] * len(bundles)


def test_the_pathway_proposes_nothing_for_any_patient(examples: list[dict[str, Any]]) -> None:
    knowledge = Knowledge.shipped()
    others = [e for e in examples if e["resourceType"] not in ("Patient", "Bundle")]
    requests = {}
    for patient in (e for e in examples if e["resourceType"] == "Patient"):
        name = f"Patient/{patient['id']}"
        record = Record.of([patient, *(e for e in others if reference(e) in ("", name))])
        plan = knowledge.plan("mst-pathway")
        applied = apply_plan(ApplyRequest(definition=plan, record=record, now=NOON), knowledge)
        requests[name] = [d.path for d in applied.decisions if d.outcome != "not-met"]
    assert requests == {name: [] for name in requests}
