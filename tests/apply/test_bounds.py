"""What one application may take: the facts of all its Libraries hold a bounded number of items."""

import pytest
from small import Json, applied, fact, library, plan, when

from carepath.apply.run import session


def outcomes(count: int, most: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Apply a plan of so many actions, each on a fact of three items of its own."""
    monkeypatch.setattr(session, "_ITEMS", most)
    names = [f"some{number}" for number in range(count)]
    facts = library(*(fact(name, "1 | 2 | 3") for name in names))
    actions: list[Json] = [
        {"id": name, "title": name, "condition": when(f"%{name}.count() = 3")} for name in names
    ]
    made = applied([plan(*actions, library=["http://x/Library/facts"]), facts])
    told = [issue.diagnostics for issue in made.issues]
    return [
        (decision.outcome, [text for text in told if f"/{decision.id}`" in text])
        for decision in made.decisions
    ]


def test_all_facts_together_hold_no_more_items_than_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = outcomes(3, 6, monkeypatch)
    assert found[:2] == [("met", [])] * 2
    outcome, (text,) = found[2]
    assert outcome == "undetermined"
    assert text.endswith("`1 | 2 | 3` in `1 | 2 | 3`: all facts hold more than 6 items.")


def test_facts_within_the_bound_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcomes(3, 9, monkeypatch) == [("met", [])] * 3
