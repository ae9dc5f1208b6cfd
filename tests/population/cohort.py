"""A small pathway, and patients at different places on it."""

from datetime import UTC, datetime
from typing import Any

from carepath.apply import Applied, ApplyRequest, apply_plan
from carepath.knowledge import Knowledge
from carepath.population.decisions import Row, rows
from carepath.record import Record

Json = dict[str, Any]

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
OWN = "https://carepath.example/fhir/StructureDefinition"
PLAN_URL = "http://x/PlanDefinition/knee|1"


def fact(name: str, expression: str) -> Json:
    value = {"language": "text/fhirpath", "name": name, "expression": expression}
    return {"url": f"{OWN}/fact", "valueExpression": value}


def when(*expressions: str) -> list[Json]:
    return [
        {"kind": "applicability", "expression": {"language": "text/fhirpath", "expression": e}}
        for e in expressions
    ]


def phase(title: str, past: str = "") -> Json:
    parts: list[Json] = [{"url": "title", "valueString": title}]
    if past:
        expression = {"language": "text/fhirpath", "expression": past}
        parts.append({"url": "past", "valueExpression": expression})
    return {"url": f"{OWN}/care-phase", "extension": parts}


LIBRARY = {
    "resourceType": "Library",
    "id": "knee-facts",
    "url": "http://x/Library/knee-facts",
    "version": "1",
    "status": "draft",
    "type": {"text": "logic-library"},
    "dataRequirement": [
        {"id": "observations", "type": "Observation"},
        {"id": "procedures", "type": "Procedure"},
    ],
    "extension": [
        fact("swollen", "%observations.where(code.coding.code = 'swollen').value"),
        fact("pictures", "%procedures.where(code.coding.code = 'mri')"),
        fact("seen", "%pictures.exists()"),
    ],
}
PLAN = {
    "resourceType": "PlanDefinition",
    "id": "knee",
    "url": "http://x/PlanDefinition/knee",
    "version": "1",
    "title": "The knee",
    "status": "draft",
    "library": ["http://x/Library/knee-facts|1"],
    "extension": [phase("Imaging", "%seen"), phase("Team")],
    "action": [
        {
            "id": "imaging",
            "title": "Images & more",
            "condition": when("%swollen"),
            "action": [
                {"id": "mri", "title": "MRI", "condition": when("%pictures.empty()")},
                {"id": "again", "title": "MRI again", "condition": when("%pictures.exists()")},
            ],
        },
        {
            "id": "advice",
            "title": "Advice",
            "condition": when("%swollen"),
            "documentation": [{"type": "documentation", "label": "S-1"}],
        },
    ],
}
KNOWLEDGE = Knowledge.of([LIBRARY, PLAN])


def _person(id_: str, *more: Json) -> list[Json]:
    return [{"resourceType": "Patient", "id": id_, "gender": "female"}, *more]


def _swollen(id_: str, value: bool) -> Json:
    return {
        "resourceType": "Observation",
        "id": f"swollen-{id_}",
        "status": "final",
        "code": {"coding": [{"system": "http://x", "code": "swollen"}]},
        "subject": {"reference": f"Patient/{id_}"},
        "valueBoolean": value,
    }


def _pictures(id_: str) -> Json:
    return {
        "resourceType": "Procedure",
        "id": f"mri-{id_}",
        "status": "completed",
        "code": {"coding": [{"system": "http://x", "code": "mri"}]},
        "subject": {"reference": f"Patient/{id_}"},
        "performedDateTime": "2026-10-01",
    }


PATIENTS = {
    "a": _person("a", _swollen("a", True)),
    "b": _person("b", _swollen("b", True), _pictures("b")),
    "c": _person("c"),
    "d": _person("d", _swollen("d", False)),
}
"""To be imaged; imaged; nobody knows whether it is swollen; not concerned."""


def applied(id_: str) -> Applied:
    request = ApplyRequest(PLAN, Record.of(PATIENTS[id_]), NOW)
    return apply_plan(request, KNOWLEDGE)


def rows_of(*ids: str) -> list[Row]:
    return [row for id_ in ids for row in rows(id_, applied(id_))]
