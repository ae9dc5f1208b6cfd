"""What `$apply` and its kin say of their reasons, for whom, and since when, over HTTP.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

Json = dict[str, Any]
Bundle = Callable[..., Json]
Maker = Callable[..., FlaskClient]

APPLY = "/fhir/PlanDefinition/walk/$apply"
R5_APPLY = "/fhir/PlanDefinition/walk/$r5.apply"
PATHWAYS = "/fhir/$apply-pathways"
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1990-02-28"}
DECISIONS = "https://carepath.example/fhir/StructureDefinition/decisions"
CLINICIAN, FOR_PATIENT = "Wäre gut: a walk", "Your care plan"


def code(name: str, value: str) -> Json:
    return {"name": name, "valueCode": value}


def earlier(plan: Json) -> Json:
    return {"name": "previousPlan", "resource": plan}


@pytest.fixture
def ask(bundle: Bundle) -> Callable[..., tuple[int, Json]]:
    """Return a caller of an operation with the data of a patient and further parameters."""

    def call(client: FlaskClient, url: str, *parts: Json) -> tuple[int, Json]:
        parameter = [{"name": "data", "resource": bundle(PATIENT)}, *parts]
        body = {"resourceType": "Parameters", "parameter": parameter}
        response = client.post(url, json=body)
        return response.status_code, json.loads(response.data)

    return call


Ask = Callable[..., tuple[int, Json]]


def answers(answer: Json) -> list[Json]:
    """Return what holds narrative and decisions: CarePlans, or the RequestGroup of a Bundle."""
    found = [answer, *(entry["resource"] for entry in answer.get("entry", ()))]
    return [r for r in found if r["resourceType"] in ("CarePlan", "RequestGroup")]


def shown(answer: Json) -> tuple[str, list[str]]:
    """Return the heading of the narrative, and the extensions of an answer."""
    (one,) = answers(answer)
    div = one.get("text", {}).get("div", "")
    heading = div.partition("<h2>")[2].partition("</h2>")[0]
    return heading, [extension["url"] for extension in one.get("extension", ())]


EXPLAINED = {
    "none": ("", []),
    "brief": (CLINICIAN, []),
    "full": (CLINICIAN, [DECISIONS]),
}


@pytest.mark.parametrize("url", [APPLY, R5_APPLY, PATHWAYS])
@pytest.mark.parametrize(("level", "expected"), EXPLAINED.items(), ids=EXPLAINED.keys())
def test_explain_as_a_parameter_and_in_the_url(
    client: FlaskClient, ask: Ask, url: str, level: str, expected: tuple[str, list[str]]
) -> None:
    status, answer = ask(client, url, code("explain", level))
    assert (status, shown(answer)) == (200, expected)
    assert ask(client, f"{url}?explain={level}") == (200, answer)


@pytest.mark.parametrize("url", [APPLY, R5_APPLY, PATHWAYS])
def test_brief_is_what_nobody_asks_for(client: FlaskClient, ask: Ask, url: str) -> None:
    assert ask(client, url) == ask(client, url, code("explain", "brief"))


def test_full_holds_every_decision_as_json(client: FlaskClient, ask: Ask) -> None:
    _, plan = ask(client, APPLY, code("explain", "full"))
    (extension,) = plan["extension"]
    attachment = extension["valueAttachment"]
    told = json.loads(base64.b64decode(attachment["data"]))
    assert attachment["contentType"] == "application/json"
    assert list(told) == ["plan", "subject", "decisions", "issues"]
    assert [(d["id"], d["outcome"]) for d in told["decisions"]] == [
        ("stroll", "met"),
        ("talk", "not-met"),
    ]


@pytest.mark.parametrize(
    ("reader", "heading"), [("clinician", CLINICIAN), ("patient", FOR_PATIENT)]
)
@pytest.mark.parametrize("url", [APPLY, R5_APPLY, PATHWAYS])
def test_for_whom_the_narrative_is(
    client: FlaskClient, ask: Ask, url: str, reader: str, heading: str
) -> None:
    status, answer = ask(client, url, code("narrative", reader))
    assert (status, shown(answer)) == (200, (heading, []))
    assert ask(client, f"{url}?narrative={reader}") == (200, answer)


UNKNOWN = {
    "explain": "The parameter `explain` is `all`; expected one of `none`, `brief`, `full`.",
    "narrative": "The parameter `narrative` is `all`; expected one of `clinician`, `patient`.",
}


@pytest.mark.parametrize("url", [APPLY, R5_APPLY, PATHWAYS])
@pytest.mark.parametrize(("name", "sentence"), UNKNOWN.items(), ids=UNKNOWN.keys())
def test_a_code_that_nobody_knows(
    client: FlaskClient, ask: Ask, url: str, name: str, sentence: str
) -> None:
    def issue(expression: str) -> Json:
        severity = {"severity": "error", "code": "value"}
        return {**severity, "diagnostics": sentence, "expression": [expression]}

    status, answer = ask(client, url, code(name, "all"))
    assert (status, answer["issue"]) == (400, [issue("Parameters.parameter[1]")])
    status, answer = ask(client, f"{url}?{name}=all")
    assert (status, answer["issue"]) == (400, [issue(f"http.{name}")])


@pytest.mark.parametrize("part", [{"valueBoolean": True}, {"resource": PATIENT}, {}])
def test_a_code_of_a_wrong_type(client: FlaskClient, ask: Ask, part: Json) -> None:
    status, answer = ask(client, APPLY, {"name": "explain", **part})
    assert (status, answer["issue"][0]["expression"]) == (400, ["Parameters.parameter[1]"])
    assert "`explain`" in answer["issue"][0]["diagnostics"]


def test_an_activity_has_nothing_to_explain(client: FlaskClient, ask: Ask) -> None:
    status, answer = ask(client, "/fhir/ActivityDefinition/stroll/$apply", code("explain", "full"))
    assert status == 400
    assert "`explain` is unknown" in answer["issue"][0]["diagnostics"]


# Since an earlier plan.


def test_an_earlier_plan_is_compared(client: FlaskClient, ask: Ask) -> None:
    _, before = ask(client, APPLY)
    status, plan = ask(client, APPLY, earlier(before))
    assert status == 200
    assert "<h3>Since the plan of 2026-03-31</h3>" in plan["text"]["div"]
    assert "Still open: Stroll" in plan["text"]["div"]
    assert {**plan, "text": None} == {**before, "text": None}


def test_an_earlier_plan_is_no_datum(client: FlaskClient, ask: Ask) -> None:
    """A Condition in the earlier plan does not meet the condition that asks for one."""
    _, before = ask(client, APPLY)
    mine = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}
    _, plan = ask(client, APPLY, earlier({**before, "contained": [*before["contained"], mine]}))
    assert [a["id"] for a in plan["contained"][0]["action"]] == ["stroll"]


BARE = {"resourceType": "CarePlan", "status": "draft", "intent": "plan"}
MINE = {**BARE, "subject": {"reference": "Patient/p"}}
GROUP = {"resourceType": "RequestGroup", "id": "g", "status": "draft", "intent": "plan"}
AT = "Parameters.parameter[1]"
NOT_EARLIER: dict[str, tuple[Json, int, str, str]] = {
    "another patient's": (
        {**BARE, "subject": {"reference": "Patient/other"}},
        400,
        "The parameter `previousPlan` is `Patient/other`; expected a CarePlan of the same patient.",
        AT,
    ),
    "not made by $apply": (
        MINE,
        400,
        "The parameter `previousPlan` is `no RequestGroup`; "
        "expected a CarePlan that `$apply` returned.",
        AT,
    ),
    "another resource": (
        PATIENT,
        400,
        "The parameter `previousPlan` is `Patient`; expected a CarePlan.",
        AT,
    ),
    "a wrong JSON type": (
        {**MINE, "contained": "secret"},
        422,
        f"`{AT}.resource.contained` is not a JSON array.",
        f"{AT}.resource.contained",
    ),
    "a wrong JSON type, deep within": (
        {**MINE, "contained": [{**GROUP, "action": [{"action": "secret"}]}]},
        422,
        f"`{AT}.resource.contained[0].action[0].action` is not a JSON array.",
        f"{AT}.resource.contained[0].action[0].action",
    ),
}


@pytest.mark.parametrize(
    ("plan", "status", "sentence", "expression"), NOT_EARLIER.values(), ids=NOT_EARLIER.keys()
)
def test_what_is_no_earlier_plan_is_named(
    client: FlaskClient, ask: Ask, plan: Json, status: int, sentence: str, expression: str
) -> None:
    found, answer = ask(client, APPLY, earlier(plan))
    assert (found, answer["resourceType"]) == (status, "OperationOutcome")
    assert [(i["diagnostics"], i["expression"]) for i in answer["issue"]] == [
        (sentence, [expression])
    ]
    assert "secret" not in json.dumps(answer)


def test_what_an_earlier_plan_lacks_is_told(client: FlaskClient, ask: Ask) -> None:
    _, before = ask(client, APPLY)
    del before["status"]
    status, answer = ask(client, APPLY, earlier(before))
    (issue,) = answer["issue"]
    assert (status, issue["expression"]) == (422, ["CarePlan.status"])
    assert "`CarePlan.status` is required but missing" in issue["diagnostics"]


def test_an_earlier_plan_does_not_fit_into_a_url(client: FlaskClient, ask: Ask) -> None:
    status, answer = ask(client, f"{APPLY}?previousPlan=CarePlan/1")
    (issue,) = answer["issue"]
    assert (status, issue["expression"]) == (400, ["http.previousPlan"])
    assert "expected a CarePlan in the body" in issue["diagnostics"]


@pytest.mark.parametrize("url", [R5_APPLY, PATHWAYS])
def test_an_earlier_plan_is_of_one_patient_and_one_plan(
    client: FlaskClient, ask: Ask, url: str
) -> None:
    status, answer = ask(client, url, earlier(MINE))
    assert status == 400
    assert "`previousPlan` is unknown" in answer["issue"][0]["diagnostics"]


# Settings of the service.


@pytest.mark.parametrize(("level", "expected"), EXPLAINED.items(), ids=EXPLAINED.keys())
def test_the_service_says_how_much_when_the_request_does_not(
    make_client: Maker, ask: Ask, level: str, expected: tuple[str, list[str]]
) -> None:
    client = make_client(explain=level)
    for url in (APPLY, R5_APPLY, PATHWAYS):
        assert shown(ask(client, url)[1]) == expected
        assert shown(ask(client, url, code("explain", "brief"))[1]) == EXPLAINED["brief"]


def test_templates_of_the_deployment(make_client: Maker, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "clinician.xhtml").write_text("<h2>Ours: {{ sheet.title }}</h2>", "utf-8")
    client = make_client(templates=str(tmp_path))
    for url in (APPLY, R5_APPLY, PATHWAYS):
        assert shown(ask(client, url)[1]) == (f"Ours: {CLINICIAN}", [])
        patient = ask(client, url, code("narrative", "patient"))[1]
        assert shown(patient) == (FOR_PATIENT, [])


@pytest.mark.parametrize("language", ["/../../secret", "../secret", "x" * 5000])
def test_a_language_leads_to_no_other_folder(
    make_client: Maker, ask: Ask, tmp_path: Path, language: str
) -> None:
    (tmp_path / "own" / "clinician.").mkdir(parents=True)
    (tmp_path / "secret.xhtml").write_text("<p>secret</p>", "utf-8")
    client = make_client(templates=str(tmp_path / "own"))
    concept = {"coding": [{"code": language}]}
    asked = {"name": "userLanguage", "valueCodeableConcept": concept}
    status, answer = ask(client, APPLY, asked)
    assert (status, shown(answer)) == (200, (CLINICIAN, []))


def test_a_broken_template_is_named(make_client: Maker, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "clinician.xhtml").write_text("<p>\n{% if %}</p>", "utf-8")
    client = make_client(templates=str(tmp_path))
    status, answer = ask(client, APPLY)
    assert (status, answer["resourceType"]) == (422, "OperationOutcome")
    sentence = "The template `clinician.xhtml` cannot be used: line 2: "
    assert answer["issue"][0]["diagnostics"].startswith(sentence)
    assert ask(client, APPLY, code("explain", "none"))[0] == 200
