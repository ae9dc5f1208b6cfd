"""Small definitions for the tests beside this file."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from carepath.apply import Applied, ApplyRequest, apply_plan
from carepath.knowledge import Knowledge
from carepath.record import Record

Json = dict[str, Any]

NOW = datetime.fromisoformat("2026-03-31T09:15:00+04:00")
OWN = "https://carepath.example/fhir/StructureDefinition"
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1980-05-17"}


def fhirpath(text: str, **more: Any) -> Json:
    return {"language": "text/fhirpath", "expression": text, **more}


def when(text: str) -> list[Json]:
    return [{"kind": "applicability", "expression": fhirpath(text)}]


def plan(*actions: Json, **more: Any) -> Json:
    return {
        "resourceType": "PlanDefinition",
        "id": "plan",
        "url": "http://x/PlanDefinition/plan",
        "version": "1",
        "status": "draft",
        "action": list(actions),
        **more,
    }


def activity(id_: str = "scan", **more: Any) -> Json:
    return {
        "resourceType": "ActivityDefinition",
        "id": id_,
        "url": f"http://x/ActivityDefinition/{id_}",
        "version": "1",
        "status": "draft",
        "kind": "ServiceRequest",
        **more,
    }


def fact(name: str, text: str, *, auxiliary: bool = False) -> Json:
    expression = fhirpath(text, name=name)
    if auxiliary:
        expression["extension"] = [{"url": f"{OWN}/auxiliary-fact", "valueBoolean": True}]
    return {"url": f"{OWN}/fact", "valueExpression": expression}


def library(*facts: Json, **more: Any) -> Json:
    return {
        "resourceType": "Library",
        "id": "facts",
        "url": "http://x/Library/facts",
        "version": "1",
        "status": "draft",
        "type": {"text": "logic-library"},
        "extension": list(facts),
        "dataRequirement": [{"id": "observations", "type": "Observation"}],
        **more,
    }


def observation(id_: str, code: str, **value: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://x", "code": code}]},
        "subject": {"reference": "Patient/p"},
        **value,
    }


GRADE = fact("grade", "%observations.where(code.coding.code = 'grade').value")
SIZE = fact("size", "%observations.where(code.coding.code = 'size').value")


def applied(definitions: Iterable[Json], *data: Json, **more: Any) -> Applied:
    """Apply the first of the definitions to a patient with some data."""
    found = list(definitions)
    content = list(data) if any(r["resourceType"] == "Patient" for r in data) else [PATIENT, *data]
    request = ApplyRequest(found[0], Record.of(content), more.pop("now", NOW), **more)
    return apply_plan(request, Knowledge.of(found))
