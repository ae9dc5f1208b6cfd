"""Reading data from another FHIR server: searches, pages, retries, and whom it may ask."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask.testing import FlaskClient

from carepath.errors import InvalidParameter, SubjectNotFound
from carepath.web import Config
from carepath.web.data_endpoint import DataEndpoint, address_of
from carepath.web.refusals import DataEndpointFailed, TooLarge

BASE = "https://records.example/fhir"
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female"}
Json = dict[str, Any]
Answer = Callable[[httpx.Request], httpx.Response]


def bundle(*resources: Json, following: str = "") -> httpx.Response:
    link = [{"relation": "next", "url": following}] if following else []
    entry = [{"resource": resource} for resource in resources]
    return httpx.Response(200, json={"resourceType": "Bundle", "link": link, "entry": entry})


class Hospital:
    """A server that answers from a function and remembers what it was asked."""

    def __init__(self, answer: Answer, **settings: Any) -> None:
        self.asked: list[str] = []
        self.slept: list[float] = []

        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(str(request.url))
            if request.url.path == "/fhir/Patient/p":
                return httpx.Response(200, json=PATIENT)
            return answer(request)

        config = Config(**{"data_endpoint_hosts": ("records.example",), **settings})
        self.endpoint = DataEndpoint(BASE, config, httpx.MockTransport(handle), self.slept.append)

    def gather(self, *requirements: Json) -> list[Json]:
        return self.endpoint.gather("Patient/p", requirements)


def needs(resource_type: str, *codes: Json) -> Json:
    found: Json = {"type": resource_type}
    return found | ({"codeFilter": [{"path": "code", "code": list(codes)}]} if codes else {})


def test_one_search_for_each_type_that_is_required() -> None:
    hospital = Hospital(lambda _: bundle())
    loinc = {"system": "http://loinc.org", "code": "1-8"}
    hospital.gather(
        needs("Observation", loinc),
        needs("Observation", {"code": "x"}),
        needs("Condition"),
        needs("Condition", loinc),
        needs("Patient"),
    )
    queries = [(urlsplit(url).path, parse_qs(urlsplit(url).query)) for url in hospital.asked]
    assert queries == [
        ("/fhir/Patient/p", {}),
        ("/fhir/Condition", {"patient": ["Patient/p"], "_count": ["200"]}),
        (
            "/fhir/Observation",
            {"patient": ["Patient/p"], "_count": ["200"], "code": ["http://loinc.org|1-8,x"]},
        ),
    ]


def test_all_pages_are_read() -> None:
    pages = {
        "1": ["2", {"resourceType": "Condition", "id": "a"}],
        "2": ["", {"resourceType": "Condition", "id": "b"}],
    }

    def answer(request: httpx.Request) -> httpx.Response:
        following, resource = pages[request.url.params.get("page", "1")]
        outcome = {"resourceType": "OperationOutcome", "issue": []}
        url = f"{BASE}/Condition?page={following}" if following else ""
        return bundle(resource, outcome, following=url)  # type: ignore[arg-type]

    found = Hospital(answer).gather(needs("Condition"))
    assert [(r["resourceType"], r["id"]) for r in found] == [
        ("Patient", "p"),
        ("Condition", "a"),
        ("Condition", "b"),
    ]


@pytest.mark.parametrize("failure", [429, 500, 502, 503, 504, None], ids=str)
def test_what_fails_for_the_moment_is_tried_again(failure: int | None) -> None:
    answers: Iterator[int | None] = iter([failure, failure, 200])

    def answer(request: httpx.Request) -> httpx.Response:
        status = next(answers)
        if status is None:
            raise httpx.ConnectTimeout("slow", request=request)
        return bundle() if status == 200 else httpx.Response(status)

    hospital = Hospital(answer)
    hospital.gather(needs("Condition"))
    assert hospital.slept == [0.2, 0.4]


def _slow(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


@pytest.mark.parametrize(
    ("answer", "said", "settings"),
    [
        (_slow, "does not answer", {}),
        (lambda _: httpx.Response(503), "does not answer", {}),
        (lambda _: httpx.Response(401), "401", {}),
        (lambda _: httpx.Response(302, headers={"Location": "http://evil.example"}), "302", {}),
        (lambda _: httpx.Response(200, text="<html>"), "not valid JSON", {}),
        (lambda _: httpx.Response(200, json=[]), "not a FHIR resource", {}),
        (lambda _: httpx.Response(200, json=PATIENT), "not answered with a Bundle", {}),
        (lambda _: bundle(following="https://evil.example/fhir"), "another host", {}),
        (lambda _: bundle(following=f"{BASE}/Condition"), "too many pages", {}),
        (lambda _: bundle(PATIENT), "too large", {"max_expanded_bytes": 10}),
    ],
)
def test_failures_name_the_host_and_nothing_else(
    answer: Answer, said: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(DataEndpointFailed, match=said) as caught:
        Hospital(answer, **settings).gather(needs("Condition"))
    assert caught.value.host == "records.example"


def test_an_unknown_patient() -> None:
    hospital = Hospital(lambda _: httpx.Response(404))
    with pytest.raises(SubjectNotFound):
        hospital.endpoint.gather("Patient/q", [])


def test_too_much_data() -> None:
    many = [{"resourceType": "Condition", "id": str(n)} for n in range(20)]
    with pytest.raises(TooLarge):
        Hospital(lambda _: bundle(*many), max_entries=10).gather(needs("Condition"))


@pytest.mark.parametrize(
    "base",
    ["https://evil.example/fhir", "https://records.example:8443/fhir", "https://records.example@evil.example",
     "https://records.example.evil.example/fhir", "http://127.0.0.1/fhir", "http://[::1", ""],
)  # fmt: skip
def test_only_listed_hosts_are_asked(base: str) -> None:
    with pytest.raises(InvalidParameter):
        DataEndpoint(base, Config(data_endpoint_hosts=("records.example",)))


@pytest.mark.parametrize("address", [None, 7, "", "file:///etc/passwd", "ftp://records.example"])
def test_the_address_of_an_endpoint(address: Any) -> None:
    with pytest.raises(InvalidParameter):
        address_of({"resourceType": "Endpoint", "address": address})


class _Handler(BaseHTTPRequestHandler):
    """A FHIR server over real sockets, with one patient."""

    def do_GET(self) -> None:
        if self.path == "/fhir/Patient/p":
            body: Json = PATIENT
        else:
            body = {"resourceType": "Bundle", "type": "searchset", "entry": []}
            if self.path.startswith("/fhir/Condition?"):
                subject = {"reference": "Patient/p"}
                condition = {"resourceType": "Condition", "id": "c", "subject": subject}
                body["entry"] = [{"resource": condition}]
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hospital() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


APPLY = "/fhir/PlanDefinition/walk/$apply"


def endpoint(host: str) -> Json:
    address = {"resourceType": "Endpoint", "status": "active", "address": f"http://{host}/fhir"}
    address["connectionType"] = {"code": "hl7-fhir-rest"}  # type: ignore[assignment]
    address["payloadType"] = [{"text": "any"}]  # type: ignore[assignment]
    subject = {"name": "subject", "valueString": "Patient/p"}
    return {
        "resourceType": "Parameters",
        "parameter": [subject, {"name": "dataEndpoint", "resource": address}],
    }


def titles(answer: Json) -> list[str]:
    group = next(r for r in answer["contained"] if r["resourceType"] == "RequestGroup")
    return [action["title"] for action in group.get("action", [])]


def test_apply_reads_from_a_data_endpoint(
    make_client: Callable[..., FlaskClient], hospital: str
) -> None:
    client = make_client(data_endpoint_hosts=(hospital,))
    response = client.post(APPLY, json=endpoint(hospital))
    assert response.status_code == 200, response.data
    assert titles(json.loads(response.data)) == ["Stroll", "Talk"]


def test_a_host_that_is_not_listed_is_refused(
    make_client: Callable[..., FlaskClient], hospital: str
) -> None:
    response = make_client().post(APPLY, json=endpoint(hospital))
    assert response.status_code == 400
    issue = json.loads(response.data)["issue"][0]
    assert issue["expression"] == ["Parameters.parameter[1]"]


def test_a_configured_endpoint_makes_get_possible(
    make_client: Callable[..., FlaskClient], hospital: str
) -> None:
    client = make_client(data_endpoint=f"http://{hospital}/fhir")
    response = client.get(f"{APPLY}?subject=Patient/p")
    assert response.status_code == 200, response.data
    assert titles(json.loads(response.data)) == ["Stroll", "Talk"]
    for subject in ("p", "Group/g", "Patient/../Secret", "https://evil.example/Patient/p"):
        refused = client.get(APPLY, query_string={"subject": subject})
        assert refused.status_code == 400
    assert client.get(APPLY).status_code == 400


def test_an_endpoint_that_is_down_is_503(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(data_endpoint="http://127.0.0.1:9/fhir", data_endpoint_retries=0)
    response = client.get(f"{APPLY}?subject=Patient/p")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
