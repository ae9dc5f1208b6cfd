"""Every case of the conformance suite through HTTP, as another engine would be tested.

The cases are told in README.md beside this file.
"""

import functools
import importlib.util
import sys
from datetime import datetime
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.validation import validate
from carepath.web import Config, create_app
from carepath.web.service import EXTENSION, Service

HERE = Path(__file__).parent
NOW = "2026-03-31T09:15:00+04:00"


def beside(name: str) -> ModuleType:
    """Load a module that stands beside this file, for `tests` is no package."""
    spec = importlib.util.spec_from_file_location(f"apply_suite_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


compare, http_calls = beside("compare"), beside("http_calls")
APP = create_app(Config(now=NOW), Knowledge.of([]))
"""One for all cases, each of which brings its definitions: to make the routes takes longest."""

NOT_FOR_US = {
    "parameters-get": "the service stores no patients: there is nothing a GET could be about",
    "parameters-dataendpoint-refused": "the service supports dataEndpoint",
}
"""Cases of another kind of service, each with the reason."""


def cases() -> list[Any]:
    """Return the cases of each topic as a parameter of pytest."""
    paths = [p for p in sorted((HERE / "cases").glob("*.json")) if p.stem not in NOT_FOR_US]
    topics = groupby(paths, lambda path: path.stem.partition("-")[0])
    return [pytest.param(list(some), id=topic) for topic, some in topics]


@functools.cache
def asked(path: Path) -> tuple[dict[str, Any], int, dict[str, Any]]:
    """Return a case with the status and body that the service answered."""
    case: dict[str, Any] = decode(path.read_bytes())
    config = Config(now=case["request"].get("now", NOW), explain="full")
    APP.extensions[EXTENSION] = Service.of(config, Knowledge.of(case["definitions"]))
    call = http_calls.operation_call(case)
    sent = {} if call.body is None else {"data": http_calls.encoded(call.body)}
    answer = APP.test_client().open(
        f"/fhir/{call.path}", method=call.method, content_type="application/fhir+json", **sent
    )
    assert answer.content_type.startswith("application/fhir+json")
    return case, answer.status_code, decode(answer.data)


@pytest.mark.parametrize("paths", cases())
def test_case(paths: list[Path]) -> None:
    assert {path.stem: found for path in paths if (found := differences(path))} == {}


def differences(path: Path) -> list[str]:
    """Return where the answer departs from what the case expects."""
    case, status, body = asked(path)
    if "refused" in case["expect"]:
        refused: list[str] = http_calls.refusal_differences(case, status, body)
        return refused
    if status != 200:
        return [f"{status}: {body}"]
    answers = http_calls.answers_of(case, body)
    return [d for expect, answer in answers for d in compare.answer_differences(expect, answer)]


@pytest.mark.parametrize("paths", cases())
def test_answer_is_valid(paths: list[Path]) -> None:
    """Every answer is valid FHIR, refusals too."""
    assert {path.stem: found for path in paths if (found := errors_in(path))} == {}


def errors_in(path: Path) -> list[Any]:
    _, _, body = asked(path)
    found = validate(body, definitions=Knowledge.shipped(), now=datetime.fromisoformat(NOW))
    return [issue for issue in found if issue.is_error]
