"""Which web pages may call: CDS Clients run in browsers, servers of a hospital are nobody's."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

PAGE = "https://page.example"
ALLOWED = "Access-Control-Allow-Origin"
DISCOVERY = "/cds-services"
DOORS = ("/cds-services/falls-patient-view", "/cds-services/falls-patient-view/feedback")
Make = Callable[..., FlaskClient]


@pytest.fixture
def service(small_content: Knowledge) -> Make:
    def make(**settings: Any) -> FlaskClient:
        return create_app(Config(**settings), small_content).test_client()

    return make


def preflight(client: FlaskClient, path: str) -> Any:
    wants = {"Access-Control-Request-Method": "POST"}
    wants |= {"Access-Control-Request-Headers": "content-type,authorization"}
    return client.options(path, headers={"Origin": PAGE, **wants})


def test_any_page_may_discover_and_call(ehr: FlaskClient) -> None:
    assert ehr.get(DISCOVERY, headers={"Origin": PAGE}).headers[ALLOWED] == "*"
    for path in DOORS:
        answer = preflight(ehr, path)
        assert (answer.status_code, answer.headers[ALLOWED]) == (204, "*")
        assert answer.headers["Access-Control-Allow-Methods"] == "OPTIONS, POST"
        assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
        refused = ehr.post(path, json={}, headers={"Origin": PAGE})
        assert (refused.status_code, refused.headers[ALLOWED]) == (400, "*")


@pytest.mark.parametrize(
    "settings",
    [{"data_endpoint_hosts": ("ehr.example",)}, {"data_endpoint": "https://ehr.example/fhir"}],
)
def test_where_a_call_leads_to_a_server_only_listed_pages_call(
    service: Make, settings: dict[str, Any]
) -> None:
    client = service(**settings)
    assert client.get(DISCOVERY, headers={"Origin": PAGE}).headers[ALLOWED] == "*"
    for path in DOORS:
        assert ALLOWED not in preflight(client, path).headers
        assert ALLOWED not in client.post(path, json={}, headers={"Origin": PAGE}).headers
    listed = service(**settings, cors_origins=(PAGE,))
    for path in DOORS:
        assert preflight(listed, path).headers[ALLOWED] == PAGE
