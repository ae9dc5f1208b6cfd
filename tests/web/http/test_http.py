"""General behaviour of every endpoint.  https://hl7.org/fhir/R4/http.html."""

import gzip
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wrappers import Response

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

Make = Callable[..., FlaskClient]
JSON = "application/fhir+json; charset=utf-8"
ORIGIN = {"Origin": "https://page.example"}
ANY_ORIGIN = ("https://page.example", "null", "file://", "*")


def issue(response: TestResponse) -> dict[str, Any]:
    """Return the first issue of an answer that must be an OperationOutcome."""
    assert response.content_type == JSON
    body = json.loads(response.data)
    assert body["resourceType"] == "OperationOutcome"
    first: dict[str, Any] = body["issue"][0]
    assert first["severity"] in ("fatal", "error")
    assert first["diagnostics"].endswith(".")
    return first


@pytest.mark.parametrize(
    ("method", "url", "status", "code"),
    [
        ("GET", "/", 404, "not-found"),
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/fhir/nowhere", 404, "not-found"),
        ("GET", "/fhir/Foo/1", 404, "not-found"),
        ("GET", "/fhir/Patient/1", 404, "not-found"),
        ("GET", "/fhir/Patient/p1/CarePlan", 404, "not-found"),
        ("GET", "/fhir/PlanDefinition/none", 404, "not-found"),
        ("GET", "/fhir/PlanDefinition/bad_id", 404, "not-found"),
        ("GET", "/fhir/PlanDefinition/walk/_history/none", 404, "not-found"),
        ("GET", "/fhir/PlanDefinition/walk/$nothing", 404, "not-found"),
        ("GET", "/fhir/.well-known/smart-configuration", 404, "not-found"),
        ("GET", "/fhir/.well-known/openid-configuration", 404, "not-found"),
        ("POST", "/cds-services", 405, "not-supported"),
        ("GET", "/cds-services/none", 405, "not-supported"),
        ("GET", "/cds-services/none/feedback/one", 404, "not-found"),
        ("PUT", "/fhir/PlanDefinition/walk", 405, "not-supported"),
        ("PATCH", "/fhir/PlanDefinition/walk", 405, "not-supported"),
        ("DELETE", "/fhir/PlanDefinition/walk", 405, "not-supported"),
        ("POST", "/fhir/PlanDefinition", 405, "not-supported"),
        ("POST", "/fhir", 400, "required"),
        ("POST", "/fhir/", 400, "required"),
        ("PUT", "/fhir", 405, "not-supported"),
        ("GET", "/fhir", 405, "not-supported"),
        ("GET", "/fhir/$apply-pathways", 405, "not-supported"),
        ("GET", "/fhir/PlanDefinition/_search", 405, "not-supported"),
        ("TRACE", "/fhir/metadata", 405, "not-supported"),
        ("PROPFIND", "/fhir/PlanDefinition/walk", 405, "not-supported"),
        ("GET", "/fhir/../fhir/metadata", 404, "not-found"),
        ("GET", "/fhir/%2e%2e/fhir/metadata", 404, "not-found"),
        ("GET", "/fhir/metadata;x=1", 404, "not-found"),
        ("GET", "/FHIR/metadata", 404, "not-found"),
        ("GET", "/fhir/PlanDefinition/" + "a" * 65, 404, "not-found"),
        ("GET", "/fhir/PlanDefinition/a%00b", 404, "not-found"),
        ("GET", "/fhir/PlanDefinition/%ff%fe", 404, "not-found"),
    ],
)
def test_unknown_endpoints_and_methods(
    client: FlaskClient, method: str, url: str, status: int, code: str
) -> None:
    response = client.open(url, method=method)
    assert (response.status_code, issue(response)["code"]) == (status, code)
    assert ("Allow" in response.headers) == (status == 405)


def test_an_unexpected_error_says_nothing_of_itself(make_client: Make) -> None:
    client = make_client()

    def broken() -> None:
        raise RuntimeError("Patient Smith")

    client.application.view_functions["healthz"] = broken
    response = client.get("/healthz")
    assert response.status_code == 500
    assert issue(response)["code"] == "exception"
    assert b"Smith" not in response.data


def test_no_memory_left_is_503(make_client: Make) -> None:
    client = make_client()

    def exhausted() -> None:
        raise MemoryError

    client.application.view_functions["healthz"] = exhausted
    response = client.get("/healthz")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert issue(response)["code"] == "transient"
    assert issue(response)["diagnostics"] == (
        "The service has no memory left for this; send again after 10 seconds."
    )


@pytest.mark.parametrize("host", [None, "", "a b", "a/b", "a.example,b.example", "a@b"])
def test_a_request_names_one_host(client: FlaskClient, host: str | None) -> None:
    response = asked(client, {"HTTP_HOST": host} if host is not None else {})
    outcome = json.loads(response.data)["issue"][0]
    assert (response.status_code, outcome["code"]) == (400, "invalid")


def test_http_1_0_may_name_no_host(client: FlaskClient) -> None:
    assert asked(client, {"SERVER_PROTOCOL": "HTTP/1.0"}).status_code == 200


def asked(client: FlaskClient, given: dict[str, str]) -> Response:
    """Send a request that a client of the framework would not send."""
    environ = EnvironBuilder("/healthz").get_environ()
    del environ["HTTP_HOST"]
    return Response.from_app(client.application, environ | given)


@pytest.mark.parametrize(
    ("coding", "status"),
    [("chunked", 200), ("Chunked", 200), ("gzip, chunked", 501), ("gzip", 501), ("", 501)],
)
def test_transfer_codings(client: FlaskClient, coding: str, status: int) -> None:
    response = client.get("/healthz", headers={"Transfer-Encoding": coding})
    assert response.status_code == status
    assert status == 200 or issue(response)["code"] == "not-supported"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("/fhir/PlanDefinition/walk", "no-cache"),
        ("/fhir/PlanDefinition/walk/$apply", "no-store"),
        ("/fhir/PlanDefinition", "no-store"),
        ("/fhir/nowhere", "no-store"),
    ],
)
def test_what_may_be_about_a_patient_is_not_stored(
    client: FlaskClient, url: str, kept: str
) -> None:
    headers = client.get(url).headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == (kept, "nosniff")


def test_errors_come_in_the_negotiated_format(client: FlaskClient) -> None:
    response = client.get("/fhir/nowhere", headers={"Accept": "application/fhir+xml"})
    assert response.status_code == 404
    assert response.content_type == "application/fhir+xml; charset=utf-8"
    assert response.data.lstrip().startswith((b"<?xml", b"<OperationOutcome"))


@pytest.mark.parametrize("accept", ["text/turtle", "application/fhir+json; fhirVersion=5.0"])
def test_406_is_an_outcome(client: FlaskClient, accept: str) -> None:
    response = client.get("/fhir/metadata", headers={"Accept": accept})
    assert (response.status_code, issue(response)["code"]) == (406, "not-supported")


@pytest.mark.parametrize("url", ["/metrics", "/healthz", "/readyz", "/openapi.json"])
def test_endpoints_that_are_not_fhir_have_a_format_of_their_own(
    client: FlaskClient, url: str
) -> None:
    for accept in ("text/plain", "application/openmetrics-text; version=1.0.0", "text/html"):
        assert client.get(url, headers={"Accept": accept}).status_code == 200


def test_what_only_begins_like_the_base_is_not_under_it(client: FlaskClient) -> None:
    response = client.get("/fhirs", headers={"Accept": "text/turtle"})
    assert (response.status_code, issue(response)["code"]) == (404, "not-found")


def test_options_needs_no_format(client: FlaskClient) -> None:
    assert client.options("/fhir/metadata", headers={"Accept": "text/turtle"}).status_code == 204


def test_415_names_the_accepted_types(client: FlaskClient) -> None:
    response = client.post("/fhir/PlanDefinition/walk/$apply", data="{}", content_type="text/plain")
    assert response.status_code == 415
    assert "application/fhir+json" in issue(response)["diagnostics"]


@pytest.mark.parametrize(
    "url", ["/fhir/metadata", "/fhir/PlanDefinition", "/fhir/ValueSet/colours"]
)
def test_no_redirects_with_or_without_a_slash(client: FlaskClient, url: str) -> None:
    assert client.get(url).status_code == 200
    assert client.get(f"{url}/").status_code == 200
    doubled = client.get(url.replace("/fhir/", "/fhir//"))
    assert (doubled.status_code, issue(doubled)["code"]) == (404, "not-found")


def test_pretty_changes_the_layout_only(client: FlaskClient) -> None:
    plain = client.get("/fhir/CodeSystem/palette")
    pretty = client.get("/fhir/CodeSystem/palette?_pretty=true")
    assert plain.json == pretty.json
    assert b"\n  " in pretty.data
    assert b"\n" not in plain.data


def test_content_type_of_a_get_is_ignored(client: FlaskClient) -> None:
    headers = {"Content-Type": "application/nonsense", "Accept-Charset": "iso-8859-1"}
    response = client.get("/fhir/metadata", headers=headers, data=b"nothing to read")
    assert (response.status_code, response.content_type) == (200, JSON)


def test_head_has_the_headers_of_get_and_no_body(client: FlaskClient) -> None:
    get, head = client.get("/fhir/ValueSet/colours"), client.head("/fhir/ValueSet/colours")
    assert head.status_code == 200
    assert head.data == b""
    for name in ("Content-Type", "Content-Length", "ETag", "Last-Modified"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("known", ['W/"{0}"', '"{0}"', "{0}", 'W/"other", W/"{0}"', "*"])
def test_if_none_match_takes_weak_strong_and_bare_tags(client: FlaskClient, known: str) -> None:
    first = client.get("/fhir/PlanDefinition/walk")
    assert first.headers["ETag"] == f'W/"{first.json["meta"]["versionId"]}"'
    header = known.format(first.json["meta"]["versionId"])
    second = client.get("/fhir/PlanDefinition/walk", headers={"If-None-Match": header})
    assert (second.status_code, second.data) == (304, b"")
    assert second.headers["ETag"] == first.headers["ETag"]
    for unknown in ('W/"other"', '"*"', "", "W/", "x" * 5000):
        other = client.get("/fhir/PlanDefinition/walk", headers={"If-None-Match": unknown})
        assert other.status_code == 200


def test_if_modified_since(client: FlaskClient) -> None:
    first = client.get("/fhir/PlanDefinition/walk")
    assert first.headers["Last-Modified"] == "Tue, 03 Feb 2026 00:00:00 GMT"
    for since, status in ((first.headers["Last-Modified"], 304),
                          ("Mon, 02 Feb 2026 00:00:00 GMT", 200), ("nonsense", 200), ("", 200),
                          ("Tue, 24 Nov 99999999999 00:00:00 GMT", 200),
                          ("Tue, 99 Nov 2026 00:00:00 GMT", 200)):  # fmt: skip
        again = client.get("/fhir/PlanDefinition/walk", headers={"If-Modified-Since": since})
        assert again.status_code == status
    both = {"If-None-Match": "", "If-Modified-Since": first.headers["Last-Modified"]}
    assert client.get("/fhir/PlanDefinition/walk", headers=both).status_code == 200


def test_a_part_of_a_second_does_not_make_a_copy_older() -> None:
    """`Last-Modified` has no parts of seconds, so a client cannot send them back."""
    meta = {"lastUpdated": "2026-02-03T00:00:00.5Z"}
    held = {"resourceType": "Library", "id": "l", "url": "https://example.org/l", "meta": meta}
    client = create_app(Config(), Knowledge.of([held])).test_client()
    modified = client.get("/fhir/Library/l").headers["Last-Modified"]
    again = client.get("/fhir/Library/l", headers={"If-Modified-Since": modified})
    assert again.status_code == 304


def test_a_chunked_body_is_read(client: FlaskClient) -> None:
    """It has no length; the server says that it has an end."""
    response = client.post(
        "/fhir/$versions",
        input_stream=io.BytesIO(b"{x}"),
        content_type=JSON,
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert response.status_code == 400


def test_metadata_has_a_tag(client: FlaskClient) -> None:
    tag = client.get("/fhir/metadata").headers["ETag"]
    again = client.get("/fhir/metadata", headers={"If-None-Match": tag})
    assert again.status_code == 304


def test_request_id_is_echoed_or_made(client: FlaskClient) -> None:
    given = client.get("/healthz", headers={"X-Request-Id": "abc-1", "X-Correlation-Id": "c-2"})
    assert given.headers["X-Request-Id"] == "abc-1"
    assert given.headers["X-Correlation-Id"] == "c-2"
    made = [client.get("/nowhere").headers["X-Request-Id"] for _ in range(2)]
    assert made[0] != made[1]


@pytest.mark.parametrize("hostile", ["x" * 129, "a b", "a\tb", "<b>", "é", "a,b", "abc\x7f"])
def test_an_id_that_cannot_stand_in_a_log_is_not_echoed(client: FlaskClient, hostile: str) -> None:
    headers = {"X-Request-Id": hostile, "X-Correlation-Id": hostile}
    response = client.get("/healthz", headers=headers)
    assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["X-Request-Id"])
    assert "X-Correlation-Id" not in response.headers


def test_gzip_out_when_the_client_reads_it(client: FlaskClient) -> None:
    plain = client.get("/fhir/metadata")
    packed = client.get("/fhir/metadata", headers={"Accept-Encoding": "gzip, deflate"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.data[4:8] == bytes(4)  # no time in it: the same answer is the same bytes
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    for refusal in ("gzip;q=0", "gzip; q=0.0", "gzip;q=0.00", "deflate, gzip;q=0.000", "br"):
        refused = client.get("/fhir/metadata", headers={"Accept-Encoding": refusal})
        assert "Content-Encoding" not in refused.headers, refusal
    assert "Accept-Encoding" in plain.headers["Vary"]
    short = client.get("/healthz", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in short.headers


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("/fhir/metadata", True),
        ("/fhir/$versions", True),
        ("/openapi.json", True),
        ("/fhir/PlanDefinition/walk", True),
        ("/fhir/.well-known/smart-configuration", True),
        ("/fhir/PlanDefinition/walk/$apply", False),
        ("/metrics", False),
    ],
)
def test_cors_on_the_open_endpoints_preflight_included(
    client: FlaskClient, url: str, is_open: bool
) -> None:
    preflight = client.options(url, headers=ORIGIN)
    assert preflight.status_code == 204
    called = client.get(url, headers=ORIGIN)
    for response in (preflight, called):
        assert (response.headers.get("Access-Control-Allow-Origin") == "*") == is_open
    if is_open:
        assert set(preflight.headers["Access-Control-Allow-Headers"].split(", ")) >= {
            "Accept", "Content-Type", "Prefer", "If-Match", "If-None-Match", "If-None-Exist",
            "Authorization", "X-Request-Id",
        }  # fmt: skip
        assert set(called.headers["Access-Control-Expose-Headers"].split(", ")) >= {
            "ETag", "Location", "Content-Location", "Last-Modified", "X-Request-Id",
        }  # fmt: skip
    assert "Access-Control-Allow-Origin" not in client.get(url).headers


@pytest.mark.parametrize("origin", ANY_ORIGIN)
def test_cors_holds_for_any_origin_and_for_errors(client: FlaskClient, origin: str) -> None:
    """A page can read why it was refused, and with which request id."""
    for url, accept in (("/fhir/PlanDefinition/none", "*/*"), ("/fhir/metadata", "text/turtle")):
        response = client.get(url, headers={"Origin": origin, "Accept": accept})
        assert response.status_code in (404, 406)
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
    closed = client.get("/fhir/PlanDefinition/walk/$apply", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in closed.headers


def test_cors_for_configured_origins_on_all_endpoints(make_client: Make) -> None:
    client = make_client(cors_origins=("https://page.example",))
    url = "/fhir/PlanDefinition/walk/$apply"
    assert client.options(url, headers=ORIGIN).headers["Access-Control-Allow-Origin"] == (
        "https://page.example"
    )
    other = client.options(url, headers={"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("/fhir/metadata", "GET, HEAD, OPTIONS"),
        ("/fhir/PlanDefinition/walk/$apply", "GET, HEAD, OPTIONS, POST"),
        ("/fhir/$apply-pathways", "OPTIONS, POST"),
        ("/fhir", "OPTIONS, POST"),
    ],
)
def test_options_lists_the_methods(client: FlaskClient, url: str, allow: str) -> None:
    response = client.options(url)
    assert (response.status_code, response.headers["Allow"]) == (204, allow)
    assert "Content-Type" not in response.headers
    assert client.options("/fhir/nowhere").status_code == 404


def self_link(response: TestResponse) -> str:
    body = json.loads(response.data)
    url: str = body["link"][0]["url"]
    return url


def test_absolute_urls_use_the_configured_base(make_client: Make) -> None:
    client = make_client(base_url="https://hospital.example/pathways/fhir/")
    forged = {"X-Forwarded-Host": "evil.example", "Host": "evil.example"}
    url = self_link(client.get("/fhir/ValueSet", headers=forged))
    assert url == "https://hospital.example/pathways/fhir/ValueSet"


FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "outside.example",
    "X-Forwarded-Prefix": "/pathways",
}


def test_absolute_urls_believe_a_trusted_proxy_only(client: FlaskClient, make_client: Make) -> None:
    assert self_link(client.get("/fhir/ValueSet", headers=FORWARDED)) == (
        "http://localhost/fhir/ValueSet"
    )
    trusting = make_client(trusted_proxies=("127.0.0.0/8",))
    assert self_link(trusting.get("/fhir/ValueSet", headers=FORWARDED)) == (
        "https://outside.example/pathways/fhir/ValueSet"
    )
    elsewhere = make_client(trusted_proxies=("10.0.0.0/8",))
    assert self_link(elsewhere.get("/fhir/ValueSet", headers=FORWARDED)) == (
        "http://localhost/fhir/ValueSet"
    )


def test_a_proxy_may_come_over_a_socket_for_both_kinds_of_addresses(make_client: Make) -> None:
    trusting = make_client(trusted_proxies=("10.0.0.0/8",))
    for peer, seen in (("::ffff:10.1.2.3", "https://outside.example/pathways"),
                       ("::ffff:192.0.2.1", "http://localhost"), ("::1", "http://localhost"),
                       ("not an address", "http://localhost")):  # fmt: skip
        environ = {"REMOTE_ADDR": peer}
        response = trusting.get("/fhir/ValueSet", headers=FORWARDED, environ_overrides=environ)
        assert self_link(response) == f"{seen}/fhir/ValueSet"


@pytest.mark.parametrize(
    "host", ["a/b<script>", "::1", "[::1", "[zz]", "a:123456", "a b", "a,b", "a@b", "a\tb"]
)
def test_a_host_that_is_none_is_refused(client: FlaskClient, host: str) -> None:
    response = client.get("/fhir/metadata", headers={"Host": host})
    assert response.status_code == 400
    assert issue(response)["severity"] == "error"


@pytest.mark.parametrize("host", ["[::1]", "[2001:db8::1]:8080", "192.0.2.1:80", "Host.Example:"])
def test_links_name_the_host_as_it_was_called(client: FlaskClient, host: str) -> None:
    url = self_link(client.get("/fhir/ValueSet", headers={"Host": host}))
    assert url == f"http://{host}/fhir/ValueSet"


@pytest.mark.parametrize("prefix", ['/a"b', "/a/../b", "//evil.example", "/a b", "evil", "/é"])
def test_a_prefix_that_is_no_path_is_refused(make_client: Make, prefix: str) -> None:
    trusting = make_client(trusted_proxies=("127.0.0.0/8",))
    response = trusting.get("/fhir/ValueSet", headers={"X-Forwarded-Prefix": prefix})
    assert response.status_code == 400
    assert issue(response)["code"] == "invalid"


def test_health_readiness_and_metrics(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz").json
    assert ready["status"] == "ready"
    assert ready["definitions"]["PlanDefinition"] == 3
    client.get("/fhir/PlanDefinition/walk")
    text = client.get("/metrics").text
    assert 'carepath_requests_total{method="GET",route="/fhir/PlanDefinition/<fhir_id:id>"' in text
    assert "carepath_request_seconds_bucket" in text
