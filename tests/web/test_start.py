"""Content that leads to more than can be worked out does not hold up the start."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.apply import ApplyRequest, apply_plan, warm
from carepath.errors import ContentTooLarge, CyclicDefinition
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.web import Config, create_app
from carepath.web.operations.apply import warm_up
from carepath.web.service import EXTENSION

Folder = list[dict[str, Any]]
PATIENT = {"resourceType": "Patient", "id": "p"}
LEAF = {"title": "end"}


def plan(name: str, *actions: dict[str, Any]) -> dict[str, Any]:
    kept = {"resourceType": "PlanDefinition", "id": name, "url": f"http://x/{name}"}
    return {**kept, "status": "draft", "action": list(actions)}


def to(name: str) -> dict[str, Any]:
    return {"title": name, "definitionCanonical": f"http://x/{name}"}


def value_set(name: str, *include: dict[str, Any]) -> dict[str, Any]:
    kept = {"resourceType": "ValueSet", "id": name, "url": f"http://x/{name}"}
    return {**kept, "status": "draft", "compose": {"include": list(include)}}


def drawn(name: str) -> dict[str, Any]:
    return {"valueSet": [f"http://x/{name}"]}


def code(name: str) -> dict[str, Any]:
    return {"system": "http://s", "concept": [{"code": name}]}


def fan_of_plans(levels: int, width: int) -> Folder:
    nested = [plan(f"p{n}", *[to(f"p{n + 1}")] * width) for n in range(levels - 1)]
    return [*nested, plan(f"p{levels - 1}", *[LEAF] * width)]


def chain_of_plans(length: int, below: int = 0) -> Folder:
    def deeper(action: dict[str, Any]) -> dict[str, Any]:
        for _ in range(below):
            action = {"title": "group", "action": [action]}
        return action

    return [
        *(plan(f"p{n}", deeper(to(f"p{n + 1}"))) for n in range(length - 1)),
        plan(f"p{length - 1}", LEAF),
    ]


def plans_that_all_lead_to_all(count: int) -> Folder:
    return [plan(f"p{n}", *[to(f"p{m}") for m in range(count)]) for n in range(count)]


def fan_of_value_sets(levels: int, width: int) -> Folder:
    nested = [value_set(f"v{n}", *[drawn(f"v{n + 1}")] * width) for n in range(levels - 1)]
    return [*nested, value_set(f"v{levels - 1}", code("a"))]


def chain_of_value_sets(length: int) -> Folder:
    nested = [value_set(f"v{n}", code(f"c{n}"), drawn(f"v{n + 1}")) for n in range(length - 1)]
    return [*nested, value_set(f"v{length - 1}", code("last"))]


def circle_of_value_sets(length: int) -> Folder:
    return [value_set(f"v{n}", drawn(f"v{(n + 1) % length}")) for n in range(length)]


@pytest.mark.parametrize(
    "content",
    [
        fan_of_plans(10, 10),
        fan_of_plans(10, 10)[::-1],
        chain_of_plans(1_000),
        plans_that_all_lead_to_all(10),
        fan_of_value_sets(12, 4),
        chain_of_value_sets(1_000),
        circle_of_value_sets(1_000),
    ],
    ids=["fan", "fan backwards", "chain", "all to all", "value sets", "their chain", "circle"],
)
def test_the_start_takes_less_than_five_seconds(tmp_path: Path, content: Folder) -> None:
    (tmp_path / "all.json").write_text(
        json.dumps({"resourceType": "Bundle", "entry": [{"resource": each} for each in content]})
    )
    started = time.process_time()
    app = create_app(Config(content=(str(tmp_path),)))
    warm_up(app.extensions[EXTENSION])
    assert time.process_time() - started < 5
    assert app.test_client().get("/readyz").status_code == 200


def test_value_sets_that_draw_on_each_other_keep_what_they_hold() -> None:
    chain = Knowledge.of(chain_of_value_sets(1_000)).terminology.expansion("http://x/v0")
    assert chain is not None
    assert len(chain.codes) == 1_000
    fan = Knowledge.of(fan_of_value_sets(12, 4)).terminology.expand("http://x/v0")
    assert fan is not None
    assert fan["expansion"]["contains"] == [{"system": "http://s", "code": "a"}]


def test_each_of_a_circle_is_told_the_circle() -> None:
    terminology = Knowledge.of(circle_of_value_sets(3)).terminology
    told = []
    for name in ("v0", "v1"):
        with pytest.raises(CyclicDefinition) as caught:
            terminology.expansion(f"http://x/{name}")
        told.append(caught.value.chain)
    assert told == [tuple(f"http://x/v{n}" for n in (0, 1, 2, 0))] * 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            fan_of_plans(10, 10),
            "`http://x/p5` is broken at `PlanDefinition.action`: "
            "it leads to more than 20000 actions.",
        ),
        (
            chain_of_plans(100),
            "`http://x/p0` is broken at `PlanDefinition.action`: "
            "it leads through more than 32 plans in a row.",
        ),
        (
            chain_of_plans(32, below=2),
            "`http://x/p9` is broken at `PlanDefinition.action`: "
            "its actions stand more than 64 levels deep.",
        ),
        (
            plans_that_all_lead_to_all(10),
            "`http://x/p0` is broken at `PlanDefinition.action`: "
            "it leads through more than 32 plans in a row.",
        ),
    ],
    ids=["fan", "chain", "deep", "all to all"],
)
@pytest.mark.parametrize("ready", [False, True], ids=["at once", "after the start"])
def test_a_plan_that_leads_to_too_much_is_refused(content: Folder, said: str, ready: bool) -> None:
    knowledge = Knowledge.of(content)
    if ready:
        warm(knowledge)
    with pytest.raises(ContentTooLarge) as caught:
        applied(knowledge)
    assert str(caught.value) == said


@pytest.mark.parametrize("content", [chain_of_plans(32, below=1), fan_of_plans(4, 10)])
def test_a_plan_within_the_bounds_is_applied(content: Folder) -> None:
    steps = applied(Knowledge.of(content))
    assert steps == applied(Knowledge.of(content[::-1])) > 0


def applied(knowledge: Knowledge) -> int:
    """Apply the first plan; return how many actions were decided."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    request = ApplyRequest(knowledge.plan("p0"), Record.of(PATIENT), now)
    answer = apply_plan(request, knowledge)
    answer.care_plan()
    return len(answer.decisions)
