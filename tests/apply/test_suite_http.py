"""Every case of the conformance suite through HTTP, as another engine would be tested.

The cases are told in README.md beside this file.
"""

import functools
import importlib.util
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.validation import validate
from carepath.web import Config, create_app

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

NOT_FOR_US = {
    "parameters-get": "the service stores no patients: there is nothing a GET could be about",
    "parameters-dataendpoint-refused": "the service supports dataEndpoint",
}
KNOWN_FAILURES: dict[str, str] = {}
"""Cases that the service does not meet yet, each with its reason; a case that passes fails here."""


def cases() -> list[Any]:
    found = []
    for path in sorted((HERE / "cases").glob("*.json")):
        marks = []
        if path.stem in NOT_FOR_US:
            marks = [pytest.mark.skip(reason=NOT_FOR_US[path.stem])]
        elif path.stem in KNOWN_FAILURES:
            marks = [pytest.mark.xfail(reason=KNOWN_FAILURES[path.stem], strict=True)]
        found.append(pytest.param(path, id=path.stem, marks=marks))
    return found


@functools.cache
def asked(path: Path) -> tuple[dict[str, Any], int, dict[str, Any]]:
    """Return a case with the status and body that the service answered."""
    case: dict[str, Any] = decode(path.read_bytes())
    config = Config(now=case["request"].get("now", NOW))
    app = create_app(config, knowledge=Knowledge.of(case["definitions"]))
    call = http_calls.operation_call(case)
    sent = {} if call.body is None else {"data": http_calls.encoded(call.body)}
    answer = app.test_client().open(
        f"/fhir/{call.path}", method=call.method, content_type="application/fhir+json", **sent
    )
    assert answer.content_type.startswith("application/fhir+json")
    return case, answer.status_code, decode(answer.data)


@pytest.mark.parametrize("path", cases())
def test_case(path: Path) -> None:
    case, status, body = asked(path)
    if "refused" in case["expect"]:
        assert http_calls.refusal_differences(case, status, body) == []
        return
    assert status == 200, body
    for expect, answer in http_calls.answers_of(case, body):
        assert compare.answer_differences(expect, answer) == []


@pytest.mark.parametrize("path", cases())
def test_answer_is_valid(path: Path) -> None:
    """Every answer is valid FHIR, refusals too."""
    _, _, body = asked(path)
    found = validate(body, definitions=Knowledge.shipped(), now=datetime.fromisoformat(NOW))
    assert [i for i in found if i.is_error] == []
