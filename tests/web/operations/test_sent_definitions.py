"""Definitions that come with a request: they win over loaded ones, and for that request only.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import json
from typing import Any

import pytest

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

Json = dict[str, Any]
URL = "https://example.org/fhir"
PATIENT = {"resourceType": "Patient", "id": "p"}


def definition(type_: str, id_: str, **more: Any) -> Json:
    head = {"resourceType": type_, "id": id_, "url": f"{URL}/{type_}/{id_}", "status": "draft"}
    return {**head, "version": "1", **more}


def activity(text: str, **more: Any) -> Json:
    return definition(
        "ActivityDefinition", "scan", kind="ServiceRequest", code={"text": text}, **more
    )


USE = {"id": "a", "title": "A", "definitionCanonical": f"{URL}/ActivityDefinition/scan"}
PLAN = definition("PlanDefinition", "plan", action=[USE])
OUTER = definition(
    "PlanDefinition",
    "outer",
    action=[{"id": "o", "title": "O", "definitionCanonical": f"{URL}/PlanDefinition/plan"}],
)


def bundle(*resources: Json) -> Json:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def sent(*bundles: Json, **more: str) -> Json:
    parts = [
        {"name": "data", "resource": bundle(PATIENT)},
        *({"name": "definitions", "resource": each} for each in bundles),
        *({"name": name, "valueUri": value} for name, value in more.items()),
    ]
    return {"resourceType": "Parameters", "parameter": parts}


class Service:
    """One service that holds the plan and an older activity."""

    def __init__(self) -> None:
        self.client = create_app(
            Config(), Knowledge.of([PLAN, OUTER, activity("Held")])
        ).test_client()

    def post(self, path: str, body: Json) -> tuple[int, Json]:
        response = self.client.post(
            f"/fhir/{path}/$apply", data=json.dumps(body), content_type="application/fhir+json"
        )
        return response.status_code, json.loads(response.data)

    def codes(self, path: str, body: Json) -> list[str]:
        status, answer = self.post(path, body)
        assert status == 200, answer
        requests = [r for r in answer["contained"] if r["resourceType"] == "ServiceRequest"]
        return [request["code"]["text"] for request in requests]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.mark.parametrize("path", ["PlanDefinition/plan", "PlanDefinition/outer"])
@pytest.mark.parametrize("version", ["0.1", "1", "2"])
def test_what_was_sent_wins_for_this_request_only(
    service: Service, path: str, version: str
) -> None:
    assert service.codes(path, sent()) == ["Held"]
    assert service.codes(path, sent(bundle(activity("Sent", version=version)))) == ["Sent"]
    assert service.codes(path, sent()) == ["Held"]


def test_a_pinned_version_is_the_one_that_is_meant(service: Service) -> None:
    pinned = {**PLAN["action"][0], "definitionCanonical": f"{URL}/ActivityDefinition/scan|1"}
    plan = {**PLAN, "id": "pinned", "url": f"{URL}/PlanDefinition/pinned", "action": [pinned]}
    body = sent(bundle(plan, activity("Sent", version="2")), url=plan["url"])
    assert service.codes("PlanDefinition", body) == ["Held"]


def test_a_plan_and_what_it_leads_to_come_together(service: Service) -> None:
    values = {"url": f"{URL}/ValueSet/own", "resourceType": "ValueSet", "status": "draft"}
    include = {"system": "urn:s", "concept": [{"code": "c"}]}
    chosen = "'urn:s|c' in (%patient.id | 'x') or %patient.exists()"
    condition = {"language": "text/fhirpath", "expression": chosen}
    plan = definition(
        "PlanDefinition",
        "new",
        library=[f"{URL}/Library/facts"],
        action=[{**USE, "condition": [{"kind": "applicability", "expression": condition}]}],
    )
    library = definition("Library", "facts", type={"text": "logic-library"})
    body = sent(
        bundle(plan, library),
        bundle(activity("Sent"), {**values, "compose": {"include": [include]}}),
        canonical=plan["url"],
    )
    assert service.codes("PlanDefinition", body) == ["Sent"]


def test_an_activity_that_was_sent_is_applied_by_its_url(service: Service) -> None:
    body = sent(bundle(activity("Sent", version="9")), url=f"{URL}/ActivityDefinition/scan")
    status, answer = service.post("ActivityDefinition", body)
    assert (status, answer["code"]["text"]) == (200, "Sent")


def test_plans_that_lead_to_each_other_end(service: Service) -> None:
    chain = [
        definition(
            "PlanDefinition",
            f"p{n}",
            action=[
                {"id": side, "definitionCanonical": f"{URL}/PlanDefinition/p{(n + 1) % 20}"}
                for side in ("a", "b")
            ],
        )
        for n in range(20)
    ]
    status, answer = service.post("PlanDefinition", sent(bundle(*chain), url=chain[0]["url"]))
    assert status in (200, 422)
    assert "circle" in json.dumps(answer) or "it leads" in json.dumps(answer)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (bundle(PATIENT), 400, "definitions"),
        (bundle({**activity("x"), "url": None}), 400, "url"),
        (bundle({k: v for k, v in activity("x").items() if k != "url"}), 400, "canonical URL"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [{}]}, 400, "definitions"),
        (PATIENT, 400, "definitions"),
        (
            bundle(*[activity("x", version=str(n)) for n in range(201)]),
            413,
            "number of definitions",
        ),
    ],
)
def test_what_is_no_bundle_of_definitions_is_refused(
    service: Service, content: Json, status: int, words: str
) -> None:
    found, answer = service.post("PlanDefinition/plan", sent(content))
    assert (found, answer["resourceType"]) == (status, "OperationOutcome")
    assert words in json.dumps(answer)


def test_a_broken_definition_spoils_only_the_action_that_uses_it(service: Service) -> None:
    broken = activity("Sent", dynamicValue=[{"path": "x", "expression": {"languag": "x"}}])
    status, answer = service.post("PlanDefinition/plan", sent(bundle(broken)))
    assert status == 200
    told = [i for r in answer["contained"] for i in r.get("issue", ())]
    assert any("languag" in issue["diagnostics"] for issue in told if issue["severity"] == "error")


def test_the_same_definition_twice_is_one(service: Service) -> None:
    body = sent(bundle(activity("Sent"), activity("Sent")), bundle(activity("Sent")))
    assert service.codes("PlanDefinition/plan", body) == ["Sent"]


def test_two_definitions_of_one_name_are_refused(service: Service) -> None:
    body = sent(bundle(activity("One")), bundle(activity("Two")))
    status, answer = service.post("PlanDefinition/plan", body)
    [issue] = answer["issue"]
    assert (status, issue["code"]) == (400, "value")
    assert "`https://example.org/fhir/ActivityDefinition/scan|1` twice" in issue["diagnostics"]


def test_two_versions_of_one_definition_stand_side_by_side(service: Service) -> None:
    body = sent(bundle(activity("One", version="1"), activity("Three", version="3")))
    assert service.codes("PlanDefinition/plan", body) == ["Three"]
