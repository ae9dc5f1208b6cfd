"""Applications that ask who calls."""

import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge

sys.path.insert(0, str(Path(__file__).parent))

from known_clients import World  # type: ignore[import-not-found]


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> World:
    """Return keys and a registry that names them."""
    return World(tmp_path_factory.mktemp("registry"), knowledge)


@pytest.fixture(scope="package")
def guarded(world: World) -> FlaskClient:
    """Return a client of a service with that registry."""
    client: FlaskClient = world.client()
    return client
