"""The OpenAPI document lists every endpoint, and a fuzzer that reads it finds none that breaks."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.web.search.query import RESULT_PARAMETERS


def test_every_route_is_listed(client: FlaskClient) -> None:
    """But for the pages of the explorer, which are for people."""
    document = json.loads(client.get("/openapi.json").data)
    listed = {
        (path.replace("{", "<").replace("}", ">"), method.upper())
        for path, operations in document["paths"].items()
        for method in operations
    }
    served = {
        (re.sub(r"<\w+:", "<", rule.rule), method)
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS") and not rule.endpoint.startswith("explorer.")
    }
    assert listed == served


def test_every_path_argument_is_declared(client: FlaskClient) -> None:
    document = json.loads(client.get("/openapi.json").data)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            declared = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_it_lists_the_search_parameters_of_the_capability_statement(client: FlaskClient) -> None:
    document = json.loads(client.get("/openapi.json").data)
    statement = json.loads(client.get("/fhir/metadata").data)
    for resource in statement["rest"][0]["resource"]:
        if "searchParam" not in resource:
            continue
        path = document["paths"][f"/fhir/{resource['type']}"]["get"]
        names = {p["name"] for p in path["parameters"]} - set(RESULT_PARAMETERS)
        assert names == {p["name"] for p in resource["searchParam"]}
        form = document["paths"][f"/fhir/{resource['type']}/_search"]["post"]["requestBody"]
        properties = form["content"]["application/x-www-form-urlencoded"]["schema"]["properties"]
        assert set(properties) == names | set(RESULT_PARAMETERS)


def schema(client: FlaskClient, path: str, name: str, method: str = "get") -> Any:
    """Return whether a parameter is required and what its value looks like."""
    document = json.loads(client.get("/openapi.json").data)
    found = [p for p in document["paths"][path][method]["parameters"] if p["name"] == name]
    return found[0].get("required", False), found[0]["schema"]


PLANS = "/fhir/PlanDefinition"


@pytest.mark.parametrize(
    ("path", "name", "required", "expected"),
    [
        (PLANS, "_total", False, {"type": "string", "enum": ["none", "estimate", "accurate"]}),
        (PLANS, "_count", False, {"type": "integer", "minimum": 0, "maximum": 999_999_999}),
        (PLANS, "name", False, {"type": "string"}),
        (
            f"{PLANS}/{{id}}",
            "_summary",
            False,
            {"type": "string", "enum": ["true", "text", "data", "count", "false"]},
        ),
        ("/fhir/CodeSystem/$lookup", "code", True, {"type": "string", "minLength": 1}),
        ("/fhir/CodeSystem/$lookup", "version", False, {"type": "string", "minLength": 1}),
        ("/fhir/ValueSet/$expand", "url", True, {"type": "string", "minLength": 1}),
        (
            "/fhir/{resource_type}/$validate",
            "mode",
            True,
            {"type": "string", "enum": ["delete"]},
        ),
        (f"{PLANS}/{{id}}/$apply", "useServerData", False, {"type": "boolean", "enum": [False]}),
        (
            f"{PLANS}/{{id}}/$apply",
            "explain",
            False,
            {"type": "string", "enum": ["none", "brief", "full"]},
        ),
    ],
)
def test_what_a_value_looks_like(
    client: FlaskClient, path: str, name: str, required: bool, expected: dict[str, Any]
) -> None:
    assert schema(client, path, name) == (required, expected)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2026", True),
        ("ge2026-11", True),
        ("2026-11-24,lt2026-11-25T10:00:00Z", True),
        ("2026-11-24T09:30:00.5+01:00", True),
        ("", True),
        ("2026-13", False),
        ("24.11.2026", False),
        ("xx2026", False),
    ],
)
def test_dates_look_as_the_search_takes_them(client: FlaskClient, text: str, fits: bool) -> None:
    pattern = schema(client, PLANS, "date")[1]["pattern"]
    assert (re.search(pattern, text) is not None) is fits
    answer = client.get(PLANS, query_string={"date": text})
    assert (answer.status_code == 200) is fits


def test_the_base_takes_a_batch(client: FlaskClient) -> None:
    document = json.loads(client.get("/openapi.json").data)
    content = document["paths"]["/fhir"]["post"]["requestBody"]["content"]
    reference = content["application/fhir+json"]["schema"]["$ref"]
    body = document["components"]["schemas"][reference.rpartition("/")[2]]
    assert body["properties"]["type"] == {"type": "string", "enum": ["batch"]}
    assert body["properties"]["entry"]["maxItems"] == 500


@pytest.mark.slow
def test_a_fuzzer_finds_no_server_error(server: Any, tmp_path: Path) -> None:
    """Schemathesis calls every endpoint with odd input: no 5xx, and errors as documented."""
    program = str(Path(sys.executable).parent / "schemathesis")
    command = [program, "run", f"{server.root}/openapi.json"]
    options = ["--checks", "not_a_server_error", "--max-examples", "15", "--seed", "20260331",
               "--phases", "examples,coverage,fuzzing", "--no-color"]  # fmt: skip
    done = subprocess.run(
        [*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert re.search(r"(\d{3,}) generated, \1 passed", done.stdout)
