"""Calls of CDS Services: each case is a request and the whole answer to it, in one file.

`CAREPATH_WRITE_GOLDEN=1` writes the answers anew; read what changes.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))
WRITES = bool(os.environ.get("CAREPATH_WRITE_GOLDEN"))


def said(client: FlaskClient, case: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/cds-services/{case['service']}", json=case["request"])
    return {"status": answer.status_code, "answer": json.loads(answer.data)}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_call_is_answered_as_its_case_says(ehr: FlaskClient, path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    found = said(ehr, case)
    if WRITES:
        kept = {name: case[name] for name in ("about", "service", "request")}
        path.write_text(json.dumps(kept | found, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return
    assert found == {name: case[name] for name in ("status", "answer")}
