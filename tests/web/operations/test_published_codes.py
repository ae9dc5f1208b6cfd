"""R4's own codes and value sets over HTTP, beside those of the content.

https://hl7.org/fhir/R4/terminology-service.html
"""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

GENDER = "http://hl7.org/fhir/administrative-gender"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/condition-category"


def get(client: FlaskClient, path: str, /, **query: str) -> tuple[int, Any]:
    response = client.get(f"/fhir/{path}?{urlencode(query)}")
    return response.status_code, json.loads(response.data)


def parts(answer: Any) -> dict[str, Any]:
    return {p["name"]: next(v for k, v in p.items() if k != "name") for p in answer["parameter"]}


@pytest.mark.parametrize("version", [{}, {"version": "4.0.1"}])
def test_lookup(client: FlaskClient, version: dict[str, str]) -> None:
    status, answer = get(client, "CodeSystem/$lookup", system=GENDER, code="male", **version)
    assert status == 200
    found = parts(answer)
    assert (found["name"], found["display"]) == ("AdministrativeGender", "Male")
    assert found["version"] == "4.0.1"


@pytest.mark.parametrize(
    "query",
    [
        {"system": GENDER, "code": "none"},
        {"system": GENDER, "code": "male", "version": "3.0.2"},
        {"system": "http://snomed.info/sct", "code": "276885007"},
    ],
)
def test_what_is_not_known_is_404(client: FlaskClient, query: dict[str, str]) -> None:
    assert get(client, "CodeSystem/$lookup", **query)[0] == 404


def test_a_code_that_is_not_there_is_named(client: FlaskClient) -> None:
    _, answer = get(client, "CodeSystem/$lookup", system=GENDER, code="none")
    assert (
        answer["issue"][0]["diagnostics"] == f"The code system `{GENDER}` has no code `none` here."
    )


def test_a_value_set_of_another_release_is_not_that_of_r4(client: FlaskClient) -> None:
    url = "http://hl7.org/fhir/ValueSet/administrative-gender"
    found = [get(client, "ValueSet/$expand", url=f"{url}|{v}")[0] for v in ("4.0.1", "5.0.0")]
    assert found == [200, 404]


def test_subsumes(client: FlaskClient) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    query = {"system": system, "codeA": "_ActAccountCode", "codeB": "CASH"}
    status, answer = get(client, "CodeSystem/$subsumes", **query)
    assert (status, parts(answer)) == (200, {"outcome": "subsumes"})


def test_expand(client: FlaskClient) -> None:
    url = "http://hl7.org/fhir/ValueSet/condition-category"
    status, answer = get(client, "ValueSet/$expand", url=url)
    assert status == 200
    assert (answer["url"], answer["name"]) == (url, "ConditionCategoryCodes")
    assert [(c["system"], c["code"], c["display"]) for c in answer["expansion"]["contains"]] == [
        (CATEGORIES, "encounter-diagnosis", "Encounter Diagnosis"),
        (CATEGORIES, "problem-list-item", "Problem List Item"),
    ]
    version = {"name": "version", "valueUri": f"{CATEGORIES}|4.0.1"}
    assert version in answer["expansion"]["parameter"]


@pytest.mark.parametrize(("code", "result"), [("problem-list-item", True), ("none", False)])
def test_validate_code(client: FlaskClient, code: str, result: bool) -> None:
    url = "http://hl7.org/fhir/ValueSet/condition-category"
    status, answer = get(client, "ValueSet/$validate-code", url=url, code=code, system=CATEGORIES)
    assert (status, parts(answer)["result"]) == (200, result)


def test_a_value_set_that_draws_on_what_is_not_here_is_not_guessed(client: FlaskClient) -> None:
    url = "http://hl7.org/fhir/ValueSet/condition-code"
    status, answer = get(client, "ValueSet/$expand", url=url)
    assert status == 400
    assert "not loaded" in answer["issue"][0]["diagnostics"]
