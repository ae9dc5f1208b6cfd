"""A service of its own for each attack, started as the tests of the web do it."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """Return the context manager that runs a service with settings of its own."""
    path = ROOT / "tests/web/conftest.py"
    spec = importlib.util.spec_from_file_location("service_for_attacks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    running: Callable[..., Any] = module.running
    return running


@pytest.fixture(scope="session")
def small() -> bytes:
    """The data of one patient."""
    return (ROOT / "examples/suspected-collection.json").read_bytes()
