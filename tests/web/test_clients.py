"""Real clients against a live service: none of them may stumble."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"
EXAMPLE = ROOT / "examples/mcode-collection.json"


def bundle() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(EXAMPLE.read_text("utf-8"))
    return body


def patient() -> str:
    found = [e["resource"] for e in bundle()["entry"]]
    return next(f"Patient/{r['id']}" for r in found if r["resourceType"] == "Patient")


def parameters() -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": "data", "resource": bundle()}]}


def test_fhirpy(server: Any) -> None:
    """It sends `application/json`, follows absolute links, and counts with `_count=0`."""
    fhirpy = pytest.importorskip("fhirpy")

    async def work() -> None:
        client = fhirpy.AsyncFHIRClient(server.base)
        plans = client.resources("PlanDefinition")
        total = await plans.count()
        assert total == len(await plans.limit(2).fetch_all()) > 2
        plan = await client.reference("PlanDefinition", "mst-pathway").to_resource()
        assert plan["status"] == "draft"
        care_plan = await plan.execute("$apply", method="post", data=bundle())
        assert care_plan["resourceType"] == "CarePlan"
        assert await plans.search(_id="mst-pathway").first() == plan
        paged = [one["id"] async for one in plans.limit(3)]
        assert len(paged) == len(set(paged)) == total
        by_subject = await plan.execute(
            "$r5.apply", method="post", data=parameters(), params={"subject": patient()}
        )
        assert by_subject["entry"][0]["resource"]["resourceType"] == "RequestGroup"
        versions = await client.execute("$versions", method="get")
        assert versions["resourceType"] == "Parameters"
        with pytest.raises(fhirpy.base.exceptions.ResourceNotFound):
            await client.reference("PlanDefinition", "nowhere").to_resource()
        with pytest.raises(fhirpy.base.exceptions.ResourceNotFound, match="Patient/1"):
            await plan.execute("$apply", method="get", params={"subject": "Patient/1"})
        with pytest.raises(fhirpy.base.exceptions.OperationOutcome) as caught:
            await plan.execute("$apply", method="post", data={"resourceType": "Bundle"})
        assert caught.value.resource["issue"][0]["severity"] == "error"

    asyncio.run(work())


FHIRCLIENT = """
import json, sys
from fhirclient import client, server
from fhirclient.models import careplan, parameters, plandefinition, operationoutcome, valueset
smart = client.FHIRClient(settings={"app_id": "t", "api_base": sys.argv[1]})
assert smart.server.capabilityStatement.fhirVersion == "4.0.1"
plan = plandefinition.PlanDefinition.read("mst-pathway", smart.server)
found = plandefinition.PlanDefinition.where({"_count": "2"}).perform(smart.server)
assert found.total > 2 and found.link
body = json.load(open(sys.argv[2]))
search = plandefinition.PlanDefinition.where({"_count": "2"})
pages = list(search.perform_iter(smart.server))
ids = [one.id for one in search.perform_resources_iter(smart.server)]
assert len(pages) > 2 and len(ids) == len(set(ids)) == found.total, (len(pages), ids)
answer = smart.server.post_json("PlanDefinition/mst-pathway/$apply", body).json()
made = careplan.CarePlan(answer)
assert {one.resource_type for one in made.contained} >= {"RequestGroup"}
gender = "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender"
expanded = valueset.ValueSet(smart.server.request_json(gender))
assert [c.code for c in expanded.expansion.contains] == ["female", "male", "other", "unknown"]
told = []
for send in (
    lambda: plandefinition.PlanDefinition.read("nowhere", smart.server),
    lambda: smart.server.post_json("PlanDefinition/mst-pathway/$apply", {"resourceType": "X"}),
    lambda: smart.server.request_json("PlanDefinition/mst-pathway/$apply?colour=red"),
):
    try:
        send()
    except Exception as error:
        response = getattr(error, "response", None)
        response = error.args[0] if response is None else response
        outcome = operationoutcome.OperationOutcome(response.json())
        told.append(f"{response.status_code}:{outcome.issue[0].code}")
print(plan.id, made.intent, *told)
"""


def test_fhirclient(server: Any) -> None:
    """It reads `/metadata` first, and its models refuse a CarePlan that is not valid."""
    pytest.importorskip("fhirclient")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FHIRCLIENT, server.base, str(EXAMPLE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "mst-pathway", "proposal", "404:not-found", "422:structure", "400:not-supported"
    ]  # fmt: skip


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The npm clients, installed."""
    if shutil.which("npm") is None:
        pytest.skip("node is not here")
    folder = tmp_path_factory.mktemp("npm")
    for path in CLIENTS.glob("*.*js*"):
        shutil.copy(path, folder)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
    if done.returncode:
        pytest.skip("the npm registry cannot be reached")
    return folder


def node(folder: Path, script: str, server: Any) -> dict[str, Any]:
    done = subprocess.run(
        ["node", script, server.base, str(EXAMPLE)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.network
def test_fhir_kit_client(server: Any, node_modules: Path) -> None:
    seen = node(node_modules, "fhir-kit-client.mjs", server)
    assert seen.pop("found") == seen.pop("total") > 3
    outcome = {"type": "OperationOutcome"}
    assert seen == {
        "metadata": "4.0.1",
        "read": "mst-pathway",
        "vread": "mst-pathway",
        "history": "history",
        "form": 1,
        "apply": "CarePlan",
        "pathways": "CarePlan about Patient/",
        "versions": "Parameters",
        "lookup": "Statements",
        "refused": {"status": 400, **outcome},
        "missing": {"status": 404, **outcome},
        "compartment": {"status": 404, **outcome},
        "batch": {"status": 422, **outcome},
        "transaction": {"status": 422, **outcome},
        "create": {"status": 404, **outcome},
        "smart": "answered",
    }


@pytest.mark.network
def test_smart_fhirclient(server: Any, node_modules: Path) -> None:
    seen = node(node_modules, "fhirclient.cjs", server)
    assert seen.pop("pages") > 3
    assert seen == {
        "release": 4,
        "version": "4.0.1",
        "read": "mst-pathway",
        "apply": "CarePlan",
        "expand": "ValueSet",
        "missing": {"status": 404, "code": "not-found"},
        "refused": {"status": 400, "code": "not-supported"},
        "patch": {"status": 405, "code": "not-supported"},
    }


@pytest.mark.network
@pytest.mark.slow
def test_hapi_java_client(server: Any, tmp_path: Path) -> None:
    """It validates `/metadata` before the first call, asks for XML first, parses strictly."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        pytest.skip("Java and Maven are not here")
    for path in (CLIENTS / "hapi").iterdir():
        shutil.copy(path, tmp_path)
    maven = ["mvn", "-q", "-B", "dependency:build-classpath", "-Dmdep.outputFile=classpath.txt"]
    done = subprocess.run(maven, cwd=tmp_path, capture_output=True, check=False, timeout=600)
    if done.returncode:
        pytest.skip("the Maven repository cannot be reached")
    classpath = (tmp_path / "classpath.txt").read_text("utf-8")
    run = subprocess.run(
        ["java", "-cp", classpath, "Client.java", server.base, str(EXAMPLE), patient()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    seen = dict(line.split("=") for line in run.stdout.splitlines() if "=" in line)
    expected = {
        "metadata": "4.0.1",
        "read": "mst-pathway",
        "vread": "mst-pathway",
        "pages": "true",
        "form": "1",
        "apply": "proposal",
        "pathways": "CarePlan",
        "expand": "4",
        "validate": "true",
        "missing": "not-found",
        "refused": "not-supported",
    }
    for prefix in ("any", "json", "xml"):
        assert {k: seen.get(f"{prefix}.{k}") for k in expected} == expected


PACK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pyfhircheck import api_testing
inputs = {"resourceType": "PlanDefinition", "resourceId": "mst-pathway", "versionId": sys.argv[3]}
report = api_testing.run_api_tests(
    sys.argv[2],
    api_testing.load_builtin_api_test_plan("base-r4"),
    options=api_testing.ApiTestOptions(inputs=inputs),
)
failed = {
    one.id: [[a.kind, a.message] for a in one.assertions if a.status.value == "FAIL"]
    for one in report.scenarios
    if one.status.value != "PASS"
}
print(json.dumps({"passed": report.passed, "failed": failed}))
"""


@pytest.mark.network
def test_black_box_api_pack(server: Any, tmp_path: Path) -> None:
    """The base R4 pack of pyfhircheck: metadata, read, vread, search, paging, history, 404.

    Its own resource validation knows nothing of extensions that it has not loaded, and is left out
    of the verdict: the project's content is validated elsewhere.
    """
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tmp_path)]
    if subprocess.run([*pip, "pyfhircheck"], capture_output=True, check=False).returncode:
        pytest.skip("the package index cannot be reached")
    plan = json.loads(httpx.get(f"{server.base}/PlanDefinition/mst-pathway").content)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PACK, str(tmp_path), server.base,
         plan["meta"]["versionId"]],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    failed = {
        name: [a for a in assertions if a[0] != "resource-validation"]
        for name, assertions in report["failed"].items()
    }
    assert {name: found for name, found in failed.items() if found} == {}
    assert report["passed"] + len(report["failed"]) == 8
