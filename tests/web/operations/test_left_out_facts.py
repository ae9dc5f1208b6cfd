"""What cannot be read makes unknown what could rest on it, at every endpoint."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from carepath.command.main import main
from carepath.formats import xml as xml_codec
from carepath.web import Config, create_app

Json = dict[str, Any]
NOW = "2026-11-27T09:00:00+00:00"
BASE = json.loads(
    (Path(__file__).parents[2] / "records/bases/gastric-gist.json").read_text("utf-8")
)["resources"]
PATHWAY = "/fhir/PlanDefinition/mst-pathway"
XML = "application/fhir+xml"
SNOMED = "http://snomed.info/sct"

EXCISION: Json = {
    "resourceType": "Procedure",
    "id": "ex",
    "status": "completed",
    "code": {"coding": [{"system": SNOMED, "code": "370612006"}]},
    "subject": {"reference": "Patient/p1"},
    "performedDateTime": "2026-09-25",
    "reasonReference": [{"reference": "Condition/tumour"}],
}
ODD: Json = {**EXCISION, "status": "finished"}
TOLD = "`Procedure/ex` was not used: `status` is not a code of"
OTHER: Json = {"resourceType": "Patient", "id": "p2", "gender": "female"}


def bundle(*resources: Json) -> Json:
    entry = [{"resource": resource} for resource in (*BASE, *resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entry}


def version(number: str, resource: Json) -> Json:
    return {**resource, "meta": {"versionId": number}}


@pytest.fixture(scope="module")
def clinic() -> FlaskClient:
    """Return a client of the service with the shipped content."""
    return create_app(Config(now=NOW)).test_client()


def is_resected(sent: Json) -> tuple[Any, bool, list[str]]:
    """Return the fact, whether a resection is proposed, and what the command line tells."""
    arguments = ["apply", "-", "--now", NOW, "--pathway", "mst-pathway", "--format", "decisions"]
    result = CliRunner().invoke(main, arguments, input=json.dumps(sent))
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    decisions = document["decisions"]
    values = {
        json.dumps(fact["value"])
        for decision in decisions
        for fact in decision["facts"]
        if fact["name"] == "resected"
    }
    (value,) = values
    met = {d.get("definition") or "" for d in decisions if d["outcome"] == "met"}
    told = [i["diagnostics"] for i in document["issues"] if "was not used" in i["diagnostics"]]
    return json.loads(value), any(map(_is_resection, met)), told


def _is_resection(canonical: str) -> bool:
    return re.search(r"/ActivityDefinition/order-\w*-?resection(\||$)", canonical) is not None


CASES: dict[str, tuple[list[Json], tuple[Any, bool], int]] = {
    "nothing": ([], (False, True), 0),
    "a readable excision": ([EXCISION], (True, False), 0),
    "a wrong status": ([ODD], (None, False), 1),
    "no status": ([{k: v for k, v in EXCISION.items() if k != "status"}], (None, False), 1),
    "a subject of the wrong type": ([{**ODD, "subject": "Patient/p1"}], (None, False), 1),
    "no resource type": ([{k: v for k, v in ODD.items() if k != "resourceType"}],
                         (None, False), 1),
    "of somebody who was not sent": ([{**ODD, "subject": {"reference": "Patient/no"}}],
                                     (False, True), 1),
    "a newer version": ([version("1", EXCISION), version("2", ODD)], (None, False), 1),
    "an older version": ([version("1", ODD), version("2", EXCISION)], (True, False), 1),
    "a version that nothing orders": ([EXCISION, ODD], (None, False), 1),
    "an older version, entered in error by now": (
        [version("1", ODD), version("2", {**EXCISION, "status": "entered-in-error"})],
        (False, True), 2),
}  # fmt: skip


@pytest.mark.parametrize(("resources", "known", "count"), CASES.values(), ids=CASES.keys())
def test_a_fact_that_could_rest_on_it_is_unknown(
    resources: list[Json], known: tuple[Any, bool], count: int
) -> None:
    sent = bundle(*resources)
    before = copy.deepcopy(sent)
    value, is_proposed, told = is_resected(sent)
    assert ((value, is_proposed), len(told)) == (known, count)
    assert sent == before


def proposed(answer: Any) -> set[str]:
    """Return the canonicals that the requests of an answer come from, wherever they stand."""
    if isinstance(answer, list):
        return {name for one in answer for name in proposed(one)}
    if not isinstance(answer, dict):
        return set()
    found = {name for value in answer.values() for name in proposed(value)}
    return found | {name for name in answer.get("instantiatesCanonical", ())}


def parameters(*resources: Json) -> Json:
    parts = [{"name": "data", "resource": bundle(*resources)}]
    return {"resourceType": "Parameters", "parameter": parts}


def prefetched(*resources: Json) -> Json:
    key = {"name": "key", "valueString": "x"}
    held = [key, {"name": "data", "resource": bundle(*resources)}]
    return {"resourceType": "Parameters", "parameter": [{"name": "prefetchData", "part": held}]}


BODIES: dict[str, tuple[str, Callable[..., Json]]] = {
    "$apply": (f"{PATHWAY}/$apply", bundle),
    "$apply with Parameters": (f"{PATHWAY}/$apply", parameters),
    "$apply with prefetchData": (f"{PATHWAY}/$apply", prefetched),
    "$r5.apply": (f"{PATHWAY}/$r5.apply", bundle),
    "$r5.apply with Parameters": (f"{PATHWAY}/$r5.apply", parameters),
    "$apply-pathways": ("/fhir/$apply-pathways", bundle),
    "$apply-pathways with Parameters": ("/fhir/$apply-pathways", parameters),
}


@pytest.mark.parametrize(("endpoint", "wrap"), BODIES.values(), ids=BODIES.keys())
def test_over_every_endpoint(clinic: FlaskClient, endpoint: str, wrap: Callable[..., Json]) -> None:
    def answer(*resources: Json) -> tuple[bool, bool]:
        body = wrap(*resources)
        plain = clinic.post(endpoint, json=body)
        assert plain.status_code == 200, plain.data
        found = json.loads(plain.data)
        headers = {"Content-Type": XML, "Accept": XML}
        other = clinic.post(endpoint, data=xml_codec.encode(body), headers=headers)
        assert xml_codec.decode(other.data) == found
        return any(map(_is_resection, proposed(found))), TOLD in json.dumps(found)

    assert answer() == (True, False)
    assert answer(ODD) == (False, True)


def test_of_many_patients_only_theirs_is_unknown(clinic: FlaskClient) -> None:
    def orders(*resources: Json) -> dict[str, bool]:
        body = bundle(OTHER, *resources)
        entries = json.loads(clinic.post("/fhir/$apply-pathways", json=body).data)["entry"]
        return {
            about: any(
                any(map(_is_resection, proposed(entry)))
                for entry in entries
                if entry["link"][0]["url"] == about
            )
            for about in ("Patient/p1", "Patient/p2")
        }

    theirs = {**ODD, "subject": {"reference": "Patient/p2"}}
    anybodys = {name: value for name, value in ODD.items() if name != "subject"}
    assert orders(theirs) == {"Patient/p1": True, "Patient/p2": False}
    assert orders(ODD) == {"Patient/p1": False, "Patient/p2": False}
    assert orders(anybodys) == {"Patient/p1": False, "Patient/p2": False}
