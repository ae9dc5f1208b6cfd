"""Operations on definitions, codes and resources.  https://hl7.org/fhir/R4/operationslist.html."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.canonical import Canonical
from carepath.errors import InvalidContent
from carepath.knowledge import Knowledge
from carepath.r4.model import RESOURCE_TYPES
from carepath.validation import check_structure
from carepath.web import Config, create_app

URL = "https://example.org/fhir"
PALETTE = f"{URL}/CodeSystem/palette"
COLOURS = f"{URL}/ValueSet/colours"

Json = dict[str, Any]


def call(client: FlaskClient, url: str, body: Json | None = None) -> Json:
    """Call an operation that must succeed; by GET without a body."""
    response = client.get(url) if body is None else client.post(url, json=body)
    assert response.status_code == 200, response.data
    answer: Json = json.loads(response.data)
    assert [i for i in check_structure(answer) if i.is_error] == []
    return answer


def parameters(**values: Any) -> Json:
    slots = {str: "valueString", bool: "valueBoolean", int: "valueInteger"}
    parts = []
    for name, value in values.items():
        if isinstance(value, dict):
            slot = next((f"value{t}" for t in ("Coding",) if "code" in value), "resource")
            slot = "valueCodeableConcept" if "coding" in value else slot
        else:
            slot = slots[type(value)]
        parts.append({"name": name, slot: value})
    return {"resourceType": "Parameters", "parameter": parts}


def values(answer: Json) -> dict[str, Any]:
    assert answer["resourceType"] == "Parameters"
    return {
        p["name"]: next(v for k, v in p.items() if k.startswith(("value", "part")))
        for p in answer["parameter"]
    }


def test_versions(client: FlaskClient) -> None:
    expected = {"version": "4.0", "default": "4.0"}
    assert values(call(client, "/fhir/$versions")) == expected
    assert values(call(client, "/fhir/$versions", parameters())) == expected
    assert client.post("/fhir/$versions").status_code == 200  # without parameters, without a body


def codes(value_set: Json) -> list[str]:
    return [entry["code"] for entry in value_set["expansion"].get("contains", [])]


@pytest.mark.parametrize("url", [f"ValueSet/$expand?url={COLOURS}", "ValueSet/colours/$expand"])
def test_expand(client: FlaskClient, url: str) -> None:
    answer = call(client, f"/fhir/{url}")
    assert codes(answer) == ["blue", "red", "scarlet"]
    assert answer["expansion"]["total"] == 3
    assert answer["expansion"]["timestamp"] == "2026-03-31T09:15:00+04:00"
    assert answer["expansion"]["contains"][1] == {
        "system": PALETTE,
        "code": "red",
        "display": "Red",
    }


@pytest.mark.parametrize(
    ("query", "expected", "total"),
    [
        ("filter=RED", ["red"], 1),
        ("filter=r", ["red", "scarlet"], 2),
        ("filter=nothing", [], 0),
        ("count=1", ["blue"], 3),
        ("offset=1&count=1", ["red"], 3),
        ("offset=9", [], 3),
        ("activeOnly=true", ["blue", "red", "scarlet"], 3),
    ],
)
def test_expand_filtered_and_paged(
    client: FlaskClient, query: str, expected: list[str], total: int
) -> None:
    answer = call(client, f"/fhir/ValueSet/colours/$expand?{query}")
    assert (codes(answer), answer["expansion"]["total"]) == (expected, total)


def test_expand_tells_by_what_and_from_what(client: FlaskClient) -> None:
    def expansion(query: str) -> Json:
        answer = call(client, f"/fhir/ValueSet/colours/$expand?{query}")
        assert "compose" not in answer
        found: Json = answer["expansion"]
        return found

    first, second = (expansion(f"filter=r&offset={n}&count=1") for n in (0, 1))
    assert first["identifier"] == second["identifier"] != expansion("filter=b")["identifier"]
    assert first["parameter"] == [
        {"name": "filter", "valueString": "r"},
        {"name": "offset", "valueInteger": 0},
        {"name": "count", "valueInteger": 1},
        {"name": "version", "valueUri": f"{PALETTE}|1.0.0"},
    ]
    assert codes(call(client, "/fhir/ValueSet/colours/$expand?excludeNested=true"))[0] == "blue"
    with_definition = call(client, "/fhir/ValueSet/colours/$expand?includeDefinition=true&count=0")
    assert with_definition["compose"] == {"include": [{"system": PALETTE}]}
    assert codes(with_definition) == []


def test_expand_a_value_set_of_the_specification(client: FlaskClient) -> None:
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
    answer = call(client, f"/fhir/ValueSet/$expand?url={gender}")
    assert codes(answer) == ["female", "male", "other", "unknown"]


def sent(**elements: Any) -> Json:
    return {"resourceType": "ValueSet", "status": "draft", **elements}


@pytest.mark.parametrize(
    ("value_set", "contains"),
    [
        (  # what the value set says of a code comes before what the system says
            sent(compose={"include": [{"system": PALETTE, "concept": [
                {"code": "red", "display": "Crimson"}, {"code": "blue"}]}]}),
            [{"system": PALETTE, "code": "blue", "display": "Blue"},
             {"system": PALETTE, "code": "red", "display": "Crimson"}],
        ),
        (  # a system that is not loaded
            sent(compose={"include": [{"system": "urn:x", "concept": [
                {"code": "z", "display": "Zed"}]}]}),
            [{"system": "urn:x", "code": "z", "display": "Zed"}],
        ),
        (  # an expansion alone, with a code that has no system
            sent(expansion={"timestamp": "2020-01-01", "contains": [
                {"code": "z", "display": "Zed"}]}),
            [{"code": "z", "display": "Zed"}],
        ),
        (
            sent(compose={"include": [{"system": PALETTE, "filter": [
                {"property": "display", "op": "regex", "value": "(R|r)+ed"}]}]}),
            [{"system": PALETTE, "code": "red", "display": "Red"}],
        ),
    ],
    ids=["own display", "system not loaded", "expansion alone", "regex"],
)  # fmt: skip
def test_what_an_expansion_says_of_codes(
    client: FlaskClient, value_set: Json, contains: list[Json]
) -> None:
    answer = call(client, "/fhir/ValueSet/$expand", value_set)
    assert answer["expansion"]["contains"] == contains
    assert "url" not in answer


@pytest.mark.parametrize(
    ("url", "body", "status", "said"),
    [
        ("ValueSet/$expand", {"resourceType": "Patient"}, 400, "`Patient`"),
        ("ValueSet/colours/$expand", sent(), 400, "`valueSet`"),
        ("ValueSet/$expand", sent(), 400, "not loaded"),
        (
            "ValueSet/$expand",
            sent(compose={"include": [{"system": PALETTE, "version": "9"}]}),
            400,
            "not loaded",
        ),
        (
            "ValueSet/$expand",  # backtracking would never end on this one
            sent(compose={"include": [{"system": PALETTE, "filter": [
                {"property": "code", "op": "regex", "value": "(a+)+$("}]}]}),
            400,
            "not loaded",
        ),
        (
            "ValueSet/$expand",
            sent(url="urn:me", compose={"include": [{"valueSet": ["urn:me"]}]}),
            422,
            "circle",
        ),
        ("$versions", {"resourceType": "Patient"}, 400, "Parameters"),
    ],
    ids=["another type", "at instance level", "no content", "another version", "a broken regex",
         "a circle", "a body"],
)  # fmt: skip
def test_bodies_that_cannot_be_used(
    client: FlaskClient, url: str, body: Json, status: int, said: str
) -> None:
    response = client.post(f"/fhir/{url}", json=body)
    assert response.status_code == status
    assert said in json.loads(response.data)["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("url", "body", "code", "expression", "said"),
    [
        (
            "$apply-pathways",
            {"resourceType": "Parameters"},
            "required",
            "Parameters.parameter",
            "a Bundle",
        ),
        (
            "ValueSet/$expand",
            {
                "resourceType": "Parameters",
                "parameter": [{"name": "count", "valueInteger": True}],
            },
            "value",
            "Parameters.parameter[0]",
            "a value of type integer",
        ),
        (
            "PlanDefinition/walk/$apply?subject=Patient/q",
            {"resourceType": "Patient", "id": "p"},
            "not-found",
            "http.subject",
            "Patient/q",
        ),
    ],
    ids=["a required parameter", "true is no number", "what the URL says"],
)
def test_an_error_names_its_element(
    client: FlaskClient, url: str, body: Json, code: str, expression: str, said: str
) -> None:
    response = client.post(f"/fhir/{url}", json=body)
    (issue,) = json.loads(response.data)["issue"]
    assert (issue["code"], issue["expression"]) == (code, [expression])
    assert said in issue["diagnostics"]


def test_expand_with_designations(client: FlaskClient) -> None:
    answer = call(client, "/fhir/ValueSet/colours/$expand?includeDesignations=true&filter=red")
    assert answer["expansion"]["contains"][0]["designation"] == [{"language": "de", "value": "Rot"}]


@pytest.mark.parametrize("shape", ["bare", "Parameters"])
def test_expand_a_value_set_that_is_sent(client: FlaskClient, shape: str) -> None:
    value_set = {
        "resourceType": "ValueSet",
        "status": "draft",
        "compose": {"include": [{"system": PALETTE, "concept": [{"code": "blue"}]}]},
    }
    body = value_set if shape == "bare" else parameters(valueSet=value_set)
    assert codes(call(client, "/fhir/ValueSet/$expand", body)) == ["blue"]


@pytest.mark.parametrize(
    ("given", "result"),
    [
        ({"code": "red", "system": PALETTE}, True),
        ({"code": "red"}, True),
        ({"code": "red", "system": PALETTE, "systemVersion": "1.0.0"}, True),
        ({"code": "red", "system": PALETTE, "display": "RED"}, True),
        ({"coding": {"system": PALETTE, "code": "red", "display": "Blue"}}, False),
        ({"code": "green", "system": PALETTE}, False),
        ({"code": "red", "system": "urn:other"}, False),
        ({"code": "red", "system": PALETTE, "display": "Blue"}, False),
        ({"coding": {"system": PALETTE, "code": "red"}}, True),
        ({"codeableConcept": {"coding": [{"system": "urn:x", "code": "y"},
                                         {"system": PALETTE, "code": "red"}]}}, True),
    ],
)  # fmt: skip
def test_validate_code(client: FlaskClient, given: Json, result: bool) -> None:
    answer = values(call(client, "/fhir/ValueSet/$validate-code", parameters(url=COLOURS, **given)))
    assert answer["result"] is result
    assert ("message" in answer) != result
    assert answer.get("display", "Red") == "Red"
    if result:
        assert "display" in answer


def test_validate_code_never_says_no_when_it_does_not_know(client: FlaskClient) -> None:
    unknown = sent(compose={"include": [{"system": "urn:nowhere"}]})
    body = parameters(valueSet=unknown, code="x", system="urn:nowhere")
    response = client.post("/fhir/ValueSet/$validate-code", json=body)
    assert response.status_code == 400
    assert json.loads(response.data)["issue"][0]["code"] == "not-supported"


def test_lookup(client: FlaskClient) -> None:
    by_get = call(client, f"/fhir/CodeSystem/$lookup?system={PALETTE}&code=red")
    by_post = call(
        client,
        "/fhir/CodeSystem/$lookup",
        parameters(coding={"system": PALETTE, "code": "red"}),
    )
    assert by_get == by_post
    answer = values(by_get)
    assert (answer["name"], answer["version"], answer["display"]) == ("Palette", "1.0.0", "Red")
    assert {"name": "value", "valueString": "Rot"} in answer["designation"]


def told(answer: Json) -> dict[str, str]:
    """The properties of a look-up, and the languages of its designations."""
    parts = [{p["name"]: p for p in one["part"]} for one in answer["parameter"] if "part" in one]
    return {
        (one["code"]["valueCode"] if "code" in one else one["language"]["valueCode"]): next(
            value for slot, value in one["value"].items() if slot.startswith("value")
        )
        for one in parts
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("code=red", {"de": "Rot", "definition": "The colour of blood", "child": "scarlet"}),
        ("code=scarlet", {"parent": "red"}),
        ("code=red&property=definition", {"definition": "The colour of blood"}),
        ("code=red&property=lang.de&property=parent", {"de": "Rot"}),
        ("code=red&property=designation", {"de": "Rot"}),
        ("code=red&property=other", {}),
    ],
)
def test_lookup_properties(client: FlaskClient, query: str, expected: dict[str, str]) -> None:
    answer = call(client, f"/fhir/CodeSystem/$lookup?system={PALETTE}&{query}")
    assert told(answer) == expected


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("red", "scarlet", "subsumes"),
        ("scarlet", "red", "subsumed-by"),
        ("red", "red", "equivalent"),
        ("red", "blue", "not-subsumed"),
    ],
)
def test_subsumes(client: FlaskClient, first: str, second: str, outcome: str) -> None:
    query = f"codeA={first}&codeB={second}"
    at_type = call(client, f"/fhir/CodeSystem/$subsumes?system={PALETTE}&{query}")
    at_instance = call(client, f"/fhir/CodeSystem/palette/$subsumes?{query}")
    assert values(at_type) == values(at_instance) == {"outcome": outcome}


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("ValueSet/$expand", 400, "url"),
        ("ValueSet/$expand?url=urn:nowhere", 404, "urn:nowhere"),
        (f"ValueSet/$expand?url={COLOURS}&count=-1", 400, "count"),
        (f"ValueSet/$expand?url={COLOURS}&count=many", 400, "count"),
        (f"ValueSet/$expand?url={COLOURS}&count=1_0", 400, "count"),
        (f"ValueSet/$expand?url={COLOURS}&count=2147483648", 400, "count"),
        (f"ValueSet/$expand?url={COLOURS}&displayLanguage=de", 400, "displayLanguage"),
        (f"ValueSet/$expand?url={COLOURS}&colour=red", 400, "colour"),
        (f"ValueSet/$expand?url={COLOURS}&url={COLOURS}", 400, "url"),
        (f"ValueSet/colours/$expand?url={COLOURS}", 400, "url"),
        (f"ValueSet/$expand?url={COLOURS}&filter=", 400, "filter"),
        (f"ValueSet/$expand?url={COLOURS}&context=urn:x", 400, "context"),
        (f"ValueSet/$expand?url={COLOURS}|1.0.0&valueSetVersion=2", 400, "valueSetVersion"),
        (f"ValueSet/$expand?url={COLOURS}|2", 404, "2"),
        (f"ValueSet/$validate-code?url={COLOURS}&display=Red", 400, "display"),
        (f"ValueSet/$validate-code?url={COLOURS}&code=red&inferSystem=true", 400, "inferSystem"),
        (
            f"ValueSet/$validate-code?url={COLOURS}&code=red&system={PALETTE}&systemVersion=9",
            400,
            "systemVersion",
        ),
        ("CodeSystem/palette/$subsumes?system=urn:x&codeA=red&codeB=blue", 400, "system"),
        ("CodeSystem/palette/$subsumes?version=9&codeA=red&codeB=blue", 400, "version"),
        ("ValueSet/nowhere/$expand", 404, "nowhere"),
        (f"ValueSet/$validate-code?url={COLOURS}", 400, "code"),
        (f"CodeSystem/$lookup?system={PALETTE}", 400, "code"),
        ("CodeSystem/$lookup?code=red", 400, "system"),
        (f"CodeSystem/$lookup?system={PALETTE}&code=green", 404, "green"),
        ("CodeSystem/$lookup?system=urn:x&code=red", 404, "urn:x"),
        (f"CodeSystem/$lookup?system={PALETTE}&version=9&code=red", 404, "9"),
        (f"CodeSystem/$subsumes?system={PALETTE}&codeA=red", 400, "codeB"),
        (f"CodeSystem/$subsumes?system={PALETTE}&codeA=red&codeB=green", 404, "green"),
        ("PlanDefinition/$data-requirements", 400, "url"),
        ("PlanDefinition/nowhere/$package", 404, "nowhere"),
        ("PlanDefinition/walk/$validate?mode=maybe", 400, "mode"),
        ("Patient/$validate", 400, "resource"),
    ],
)
def test_refused_by_name(client: FlaskClient, url: str, status: int, said: str) -> None:
    response = client.get(f"/fhir/{url}")
    assert response.status_code == status
    assert said in json.loads(response.data)["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("url", "given", "named"),
    [
        ("ValueSet/$validate-code", {"url": COLOURS, "code": "red",
                                     "coding": {"system": PALETTE, "code": "blue"}}, "coding"),
        ("ValueSet/$validate-code", {"url": COLOURS, "coding": {
            "system": PALETTE, "code": "red", "version": "9"}}, "coding"),
        ("ValueSet/$validate-code", {"url": COLOURS, "valueSet": sent(), "code": "red"},
         "valueSet"),
        ("CodeSystem/$lookup", {"code": "red", "coding": {"system": PALETTE, "code": "blue"}},
         "coding"),
        ("CodeSystem/palette/$subsumes", {"codingA": {"system": "urn:x", "code": "red"},
                                          "codeB": "blue"}, "codingA"),
        ("PlanDefinition/$package", {"url": "urn:x", "canonical": "urn:y"}, "canonical"),
    ],
    ids=["code and coding", "version of a coding", "url and valueSet", "code and Coding",
         "a coding of another system", "url and canonical"],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(
    client: FlaskClient, url: str, given: Json, named: str
) -> None:
    response = client.post(f"/fhir/{url}", json=parameters(**given))
    assert response.status_code == 400
    assert f"`{named}`" in json.loads(response.data)["issue"][0]["diagnostics"]


def test_terminology_operations_keep_the_versions_of_a_system_apart() -> None:
    def system(version: str, display: str) -> Json:
        return {"resourceType": "CodeSystem", "id": "s", "url": "urn:s", "version": version,
                "status": "active", "content": "complete",
                "concept": [{"code": "a", "display": display}]}  # fmt: skip

    shipped = Knowledge.shipped().all("OperationDefinition")
    known = Knowledge.of([system("1", "Old"), system("2", "New"), *shipped])
    client = create_app(Config(), known).test_client()
    for version, display in (("1", "Old"), ("2", "New")):
        answer = call(client, f"/fhir/CodeSystem/$lookup?system=urn:s&code=a&version={version}")
        assert values(answer) == {"name": "urn:s", "version": version, "display": display}


def test_subsumes_is_not_decided_by_a_part_of_a_system_or_another_kind_of_tree() -> None:
    def system(id: str, **elements: Any) -> Json:
        concept = [{"code": "a", "concept": [{"code": "b"}]}, {"code": "c"}]
        return {"resourceType": "CodeSystem", "id": id, "url": f"urn:{id}", "status": "active",
                "content": "complete", "concept": concept, **elements}  # fmt: skip

    shipped = Knowledge.shipped().all("OperationDefinition")
    part, group = system("part", content="fragment"), system("group", hierarchyMeaning="part-of")
    client = create_app(Config(), Knowledge.of([part, group, *shipped])).test_client()

    def outcome(id: str, a: str, b: str) -> Any:
        response = client.get(f"/fhir/CodeSystem/{id}/$subsumes?codeA={a}&codeB={b}")
        answer = json.loads(response.data)
        return values(answer)["outcome"] if response.status_code == 200 else response.status_code

    assert [outcome("part", "a", x) for x in "abc"] == ["equivalent", "subsumes", 400]
    assert [outcome("group", "a", x) for x in "abc"] == ["equivalent", 400, 400]


def test_data_requirements(client: FlaskClient) -> None:
    at_instance = call(client, "/fhir/PlanDefinition/walk/$data-requirements")
    canonical = f"{URL}/PlanDefinition/walk"
    at_type = call(client, f"/fhir/PlanDefinition/$data-requirements?url={canonical}")
    assert at_instance == at_type
    assert at_instance["resourceType"] == "Library"
    assert "Condition" in {need["type"] for need in at_instance["dataRequirement"]}


def test_package_holds_everything_that_is_needed(client: FlaskClient) -> None:
    answer = call(client, "/fhir/PlanDefinition/walk/$package")
    assert answer["resourceType"] == "Bundle"
    found = {f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in answer["entry"]}
    assert {"PlanDefinition/walk", "ActivityDefinition/stroll", "Library/needs"} <= found
    urls = [Canonical.parse(e["resource"]["url"]).url for e in answer["entry"]]
    assert len(urls) == len(set(urls))


PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female"}


def issues(answer: Json) -> list[tuple[str, str]]:
    return [(i["severity"], i.get("expression", [""])[0]) for i in answer["issue"]]


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "Parameters"])
def test_validate(client: FlaskClient, wrapped: bool) -> None:
    def send(resource: Json) -> Json:
        body = parameters(resource=resource) if wrapped else resource
        return call(client, f"/fhir/{resource['resourceType']}/$validate", body)

    assert all(severity in {"information", "warning"} for severity, _ in issues(send(PATIENT)))
    wrong = send({**PATIENT, "gender": "F", "birthDate": "2026-02-30", "colour": "red"})
    assert {("error", "Patient.gender"), ("error", "Patient.birthDate"),
            ("error", "Patient.colour")} <= set(issues(wrong))  # fmt: skip


def test_validate_says_when_the_url_speaks_of_something_else(client: FlaskClient) -> None:
    assert ("error", "Patient") in issues(call(client, "/fhir/Condition/$validate", PATIENT))
    plan = {"resourceType": "PlanDefinition", "id": "rest", "status": "draft"}
    found = issues(call(client, "/fhir/PlanDefinition/walk/$validate", plan))
    assert ("error", "PlanDefinition.id") in found


@pytest.mark.parametrize(
    ("mode", "resource", "is_fine"),
    [
        ("create", {"resourceType": "Patient"}, True),
        ("update", {"resourceType": "Patient"}, False),
        ("update", PATIENT, True),
    ],
)
def test_validate_modes(client: FlaskClient, mode: str, resource: Json, is_fine: bool) -> None:
    answer = call(client, "/fhir/Patient/$validate", parameters(mode=mode, resource=resource))
    assert all(severity != "error" for severity, _ in issues(answer)) == is_fine


def test_validate_needs_no_resource_for_a_delete(client: FlaskClient) -> None:
    answer = call(client, "/fhir/Patient/$validate", parameters(mode="delete"))
    assert issues(answer) == [("information", "Resource")]


@pytest.mark.parametrize("resource_type", ["Foo", 5])
def test_validate_tells_once_that_a_type_is_none(client: FlaskClient, resource_type: Any) -> None:
    body = parameters(resource={"resourceType": resource_type})
    answer = call(client, "/fhir/Patient/$validate", body)
    assert issues(answer) == [("error", "Resource.resourceType")]


def test_validate_a_definition_that_is_here(client: FlaskClient) -> None:
    answer = call(client, "/fhir/CodeSystem/palette/$validate")
    assert all(severity != "error" for severity, _ in issues(answer))


def test_validate_against_a_profile_that_is_not_here(client: FlaskClient) -> None:
    body = parameters(resource=PATIENT, profile="urn:nowhere")
    answer = call(client, "/fhir/Patient/$validate", body)
    assert "urn:nowhere" in json.dumps(answer["issue"])


@pytest.mark.parametrize("resource_type", sorted(RESOURCE_TYPES))
def test_validate_takes_every_resource_type(client: FlaskClient, resource_type: str) -> None:
    body = {"resourceType": resource_type}
    if resource_type == "Parameters":  # that is the envelope itself, so it travels inside one
        body = parameters(resource=body)
    answer = call(client, f"/fhir/{resource_type}/$validate", body)
    assert answer["resourceType"] == "OperationOutcome"


def test_content_of_a_deployment(tmp_path: Path) -> None:
    plan = {"resourceType": "PlanDefinition", "id": "ours", "url": "urn:ours", "status": "draft"}
    (tmp_path / "ours.json").write_text(json.dumps(plan), "utf-8")
    client = create_app(Config(content=(str(tmp_path),))).test_client()
    assert client.get("/fhir/PlanDefinition/ours").status_code == 200
    assert client.get("/fhir/PlanDefinition/mst-pathway").status_code == 200


BROKEN = {
    "no JSON": ("{", "plan.json"),
    "no resource": ("[]", "plan.json"),
    "an unknown type": ('{"resourceType":"Plan"}', "resourceType"),
    "a wrong code": (
        '{"resourceType":"PlanDefinition","id":"x","url":"urn:x","status":"bogus"}',
        "PlanDefinition.status",
    ),
    "a wrong type inside": (
        '{"resourceType":"PlanDefinition","id":"x","url":"urn:x","status":"draft",'
        '"action":[{"title":7}]}',
        "PlanDefinition.action[0].title",
    ),
}


@pytest.mark.parametrize(("text", "named"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_content_of_a_deployment(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "plan.json").write_text(text, "utf-8")
    with pytest.raises(InvalidContent, match=r"plan\.json") as caught:
        create_app(Config(content=(str(tmp_path),)))
    assert named in str(caught.value)
