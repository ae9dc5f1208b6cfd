"""What the content says for the pages: texts for patients, the line about the patient, phases."""

import re
from pathlib import Path

import pytest

from carepath.apply import apply_plan
from carepath.authoring.cases import read_case, request_of
from carepath.knowledge import Knowledge
from carepath.resources import Resource

ROOT = Path(__file__).parents[1]
KNOWLEDGE = Knowledge.shipped()
OWN = "https://carepath.example/fhir/StructureDefinition/"
ACTIVITIES = {a["id"]: a for a in KNOWLEDGE.all("ActivityDefinition")}
ONLY_IN = {
    "imatinib": "medreq-imatinib",
    "regorafenib": "medreq-regorafenib",
    "sunitinib": "medreq-sunitinib",
    "trabectedin": "medreq-trabectedin",
    "arm or leg should be removed": "order-amputation",
}
"""What only one request may say to the patient, and which."""


def patient_text(activity: Resource) -> str:
    own = (e for e in activity.get("extension", ()) if e["url"] == OWN + "patient-text")
    return "".join(extension["valueString"] for extension in own)


def test_each_request_says_what_it_means_for_the_patient() -> None:
    silent = {i for i, a in ACTIVITIES.items() if not patient_text(a)}
    messages = {i for i, a in ACTIVITIES.items() if a["kind"] == "CommunicationRequest"}
    assert silent - messages == {
        "order-lymphadenectomy",
        "task-collect-missing-data",
        "task-record-ecog",
    }
    assert messages <= silent


def test_a_drug_or_a_loss_is_named_only_where_it_is_proposed() -> None:
    named = {
        (words, id_)
        for id_, activity in ACTIVITIES.items()
        for words in ONLY_IN
        if words in patient_text(activity).lower()
    }
    assert named == set(ONLY_IN.items())


def test_no_text_to_the_patient_speaks_of_the_outlook() -> None:
    outlook = re.compile(r"surviv|progno|\bdie\b|death|cure|outlook|per ?cent|%|\d")
    assert [i for i, a in ACTIVITIES.items() if outlook.search(patient_text(a))] == []


def test_the_line_names_facts_of_its_library() -> None:
    library = KNOWLEDGE.definition("Library", "mst-facts")
    facts = [e["valueExpression"] for e in library["extension"] if e["url"] == OWN + "fact"]
    lines = [
        {part["url"]: part for part in extension["extension"]}
        for fact in facts
        for extension in fact.get("extension", ())
        if extension["url"] == OWN + "patient-line"
    ]
    places = [line["position"]["valuePositiveInt"] for line in lines]
    asked = {line["when"]["valueString"] for line in lines if "when" in line}
    assert len(set(places)) == len(places) > 20
    assert asked <= {fact["name"] for fact in facts}
    assert all("missing" in line for line in lines if "when" in line)


PHASES = {
    "mst-suspicion/child-with-a-thigh-lump": "Suspicion",
    "mst-rule-biopsy-adequacy/not-imaged": "Imaging",
    "mst-rule-biopsy-adequacy/gastric-aspiration-alone": "Biopsy",
    "mst-gist/liver-metastases": "Team",
    "mst-gist/two-centimetres": "Treatment",
    "mst-followup/grade-missing": "Follow-up",
    "mst-recurrence/uterine-recurrence": "Imaging",
    "mst-followup/back": "Treatment",
}
"""A case of each phase; what came back begins again, and goes on when the team has met."""


@pytest.mark.parametrize("name", PHASES)
def test_the_present_phase(name: str) -> None:
    case = read_case(ROOT / "tests" / "cases" / f"{name}.json")
    stages = apply_plan(request_of(case, KNOWLEDGE.plan("mst-pathway")), KNOWLEDGE).sheet.stages
    titles = [stage.title for stage in stages]
    assert titles == ["Suspicion", "Imaging", "Biopsy", "Team", "Treatment", "Follow-up"]
    present = titles.index(PHASES[name])
    states = ["past"] * present + ["present"] + ["future"] * (len(titles) - present - 1)
    assert [stage.state for stage in stages] == states
