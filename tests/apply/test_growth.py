"""What a large record costs: only what a fact can be about is looked at, or named in the answer.

The times stand in `make bench-apply`.
"""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.apply import Applied, ApplyRequest, apply_plan
from carepath.formats.json import encode
from carepath.knowledge import Knowledge
from carepath.record import Record, reader
from carepath.record.rules import Asked, Reading, Rule

sys.path.insert(0, str(Path(__file__).parents[2] / "tools/bench"))

from growth_data import beside, conditions, examples, observations, patient_of

Resource = dict[str, Any]
NOW = datetime.fromisoformat("2026-11-25T09:00:00+00:00")
COUNT = 1000
MOST_BYTES = 2000
EXAMPLES = examples()
PLANS = ("mst-pathway", "mst-gist")


def applied(plan: str, bundle: Resource) -> Applied:
    knowledge = Knowledge.shipped()
    return apply_plan(ApplyRequest(knowledge.plan(plan), Record.of(bundle), NOW), knowledge)


def grown(name: str, make: Callable[[int, str], list[Resource]]) -> Resource:
    return beside(EXAMPLES[name], make(COUNT, patient_of(EXAMPLES[name])))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the ids of the resources that rules were asked about, as that goes on."""
    found: list[str] = []

    def note(resource: Resource, _: Asked) -> Reading:
        found.append(resource["id"])
        return Reading(resource)

    rules = (Rule("note", "https://example.org", note), *reader.RULES)
    monkeypatch.setattr(reader, "RULES", rules)
    return found


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_unrelated_observations_are_not_looked_at(name: str, plan: str, read: list[str]) -> None:
    alone = applied(plan, EXAMPLES[name]).care_plan()
    wanted = sorted(read)
    read.clear()
    assert applied(plan, grown(name, observations)).care_plan() == alone
    assert sorted(read) == wanted
    assert wanted


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_unrelated_conditions_do_not_enlarge_the_answer(name: str, plan: str) -> None:
    alone, many = applied(plan, EXAMPLES[name]), applied(plan, grown(name, conditions))
    assert len(encode(many.care_plan())) - len(encode(alone.care_plan())) < MOST_BYTES
    assert many.care_plan().get("addresses") == alone.care_plan().get("addresses")
    assert many.issues == alone.issues
    outcomes = [[(d.path, d.outcome, d.missing) for d in a.decisions] for a in (alone, many)]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("name", EXAMPLES)
def test_evidence_names_only_what_matters(name: str) -> None:
    document = applied("mst-pathway", grown(name, conditions)).decisions_document()
    assert "unrelated-" not in encode(document).decode()
