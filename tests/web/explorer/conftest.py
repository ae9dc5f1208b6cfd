"""Services whose pages are tried."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

sys.path.insert(0, str(Path(__file__).parent))

from shown_pages import NOW


@pytest.fixture(scope="session")
def shipped() -> FlaskClient:
    """Return a client of a service with the shipped content."""
    return create_app(Config(now=NOW)).test_client()


@pytest.fixture
def service_of() -> Callable[..., FlaskClient]:
    """Return a function from definitions and settings to a client."""

    def make(*definitions: dict, **settings: object) -> FlaskClient:  # type: ignore[type-arg]
        config = Config(now=NOW, **settings)  # type: ignore[arg-type]
        return create_app(config, Knowledge.of(definitions)).test_client()

    return make
