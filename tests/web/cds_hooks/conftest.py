"""A service with the small content of these tests, and one with what is shipped."""

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

HERE = Path(__file__).parent
NOW = "2026-03-31T09:15:00+04:00"


@pytest.fixture(scope="session")
def small_content() -> Knowledge:
    definitions = json.loads((HERE / "definitions.json").read_text("utf-8"))
    profiles = [d for d in Knowledge.shipped().all("CodeSystem") if d["id"] == "override-reasons"]
    operations = Knowledge.shipped().all("OperationDefinition")
    return Knowledge.of([*definitions, *profiles, *operations])


@pytest.fixture(scope="session")
def ehr(small_content: Knowledge) -> FlaskClient:
    """Return a client of a service with the small content."""
    return create_app(Config(now=NOW), small_content).test_client()


@pytest.fixture(scope="session")
def shipped_ehr() -> FlaskClient:
    """Return a client of a service with the shipped content."""
    return create_app(Config(now="2026-11-27T12:00:00+00:00")).test_client()
