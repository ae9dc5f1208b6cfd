"""Which CDS Services there are, and what each wants to be sent."""

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

from ...suites import EXAMPLES, needs

FALLS = {
    "title": "After a fall",
    "description": "What to do after a fall.",
    "prefetch": {
        "patient": "Patient/{{context.patientId}}",
        "condition": "Condition?patient={{context.patientId}}",
        "medicationRequest": "MedicationRequest?patient={{context.patientId}}",
        "observation": "Observation?patient={{context.patientId}}",
    },
}
ONLY_THE_PATIENT = {"patient": "Patient/{{context.patientId}}"}


def test_each_hook_of_each_plan_is_a_service(ehr: FlaskClient) -> None:
    """Events that are no hooks, and plans that are retired, are none."""
    answer = ehr.get("/cds-services")
    assert answer.content_type == "application/json"
    assert json.loads(answer.data) == {
        "services": [
            {"hook": hook, "id": f"falls-{hook}", **FALLS}
            for hook in ("patient-view", "problem-list-item-create", "order-sign", "order-select")
        ]
        + [
            {
                "hook": "encounter-start",
                "title": "Many steps",
                "description": "More steps than cards.",
                "id": "many-encounter-start",
                "prefetch": ONLY_THE_PATIENT,
            },
            {
                "hook": "org.example.board-opened",
                "title": "A board",
                "description": "A board",
                "id": "custom-org.example.board-opened",
                "prefetch": ONLY_THE_PATIENT,
            },
        ]
    }


def test_without_a_plan_that_waits_there_is_no_service() -> None:
    client = create_app(Config(), Knowledge.of([])).test_client()
    assert json.loads(client.get("/cds-services").data) == {"services": []}


def test_the_shipped_plans_answer_their_hooks(shipped_ehr: FlaskClient) -> None:
    found = json.loads(shipped_ehr.get("/cds-services").data)["services"]
    by_hook: dict[str, list[str]] = {}
    for one in found:
        by_hook.setdefault(one["hook"], []).append(one["id"].removesuffix(f"-{one['hook']}"))
    expected = json.loads((Path(__file__).parent / "shipped_services.json").read_text("utf-8"))
    assert by_hook == expected


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/falls-patient-view"])
def test_it_can_be_switched_off(small_content: Knowledge, path: str) -> None:
    client = create_app(Config(cds_hooks=False), small_content).test_client()
    assert client.post(path, json={}).status_code == 404
    assert path not in json.loads(client.get("/openapi.json").data)["paths"]


@needs(EXAMPLES)
def test_public_plans_are_services() -> None:
    """Plans of others that wait for hooks of CDS Hooks 1.0 and 2.0, as HL7 publishes them."""
    names = ("plandefinition-zika-virus-intervention", "plandefinition-opioidcds-04")
    paths = [EXAMPLES / f"{name}.json" for name in names]
    plans = [json.loads(path.read_text("utf-8")) for path in paths]
    client = create_app(Config(), Knowledge.of(plans)).test_client()
    found = json.loads(client.get("/cds-services").data)["services"]
    assert [(one["id"], one["hook"]) for one in found] == [
        ("zika-virus-intervention-patient-view", "patient-view"),
        ("opioidcds-04-medication-prescribe", "medication-prescribe"),
    ]
