"""What becomes of odd input: the cases in `inputs/`, done part by part in one process."""

import json
from pathlib import Path
from typing import Any

import pytest
from lines import applied, written

from carepath.population.sources import lines as reading

CASES = sorted((Path(__file__).parent / "inputs").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_odd_input(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = json.loads(path.read_text("utf-8"))
    if "most" in case:
        most = case["most"]
        monkeypatch.setattr(
            reading, "_lines", lambda stream, name, _, of=reading._lines: of(stream, name, most)
        )
    plans, errors, remarks = applied(written(tmp_path / "in", case["files"]), tmp_path / "work")
    assert sorted(plan["subject"]["reference"] for plan in plans) == case["plans"]
    assert [told(error) for error in errors] == case["errors"]
    assert list(remarks) == case["remarks"]
    for plan in plans:
        texts = issues(plan)
        assert set(remarks) <= set(texts)
        expected = case.get("unread", {}).get(plan["subject"]["reference"])
        assert any((expected or "") in text for text in texts) or expected is None
        assert expected is not None or not any("no JSON" in text for text in texts)


def told(error: dict[str, Any]) -> dict[str, Any]:
    """Return a line of errors as a case has it: its only issue as text."""
    (issue,) = error["outcome"]["issue"]
    named = {name: error[name] for name in ("patient", "file", "line") if error.get(name)}
    return {**named, "text": issue["diagnostics"]}


def issues(plan: dict[str, Any]) -> list[str]:
    """Return what a plan tells beside itself."""
    outcomes = [r for r in plan["contained"] if r["resourceType"] == "OperationOutcome"]
    return [issue["diagnostics"] for one in outcomes for issue in one["issue"]]
