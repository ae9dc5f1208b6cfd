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
        (rule.rule.replace("fhir_id:", "").replace("resource_type:", ""), method)
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
        path = document["paths"][f"/fhir/{resource['type']}"]["get"]
        names = {p["name"] for p in path["parameters"]} - set(RESULT_PARAMETERS)
        assert names == {p["name"] for p in resource["searchParam"]}
        form = document["paths"][f"/fhir/{resource['type']}/_search"]["post"]["requestBody"]
        properties = form["content"]["application/x-www-form-urlencoded"]["schema"]["properties"]
        assert set(properties) == names | set(RESULT_PARAMETERS)


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
