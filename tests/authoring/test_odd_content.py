"""No rule fails on content that is odd but can be loaded: what is missing or of another kind."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carepath.authoring.lint import RULES, structure
from carepath.knowledge import Knowledge
from carepath.knowledge.shape import shape_problems

Place = tuple[str | int, ...]
CONTENT = Path(__file__).parent / "desmoid" / "content"
DEFINITIONS = {p.stem: json.loads(p.read_text("utf-8")) for p in sorted(CONTENT.glob("*.json"))}
KNOWLEDGE = Knowledge.shipped()
CHECKED_ELSEWHERE = (structure.is_valid, structure.is_valid_for_a_second_library)
MOST_OFTEN_ODD: tuple[Any, ...] = ({}, None, "x")


def places(node: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the place of every element, from the outside in."""
    inside = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in inside:
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from places(value, (*place, key))


def odd_forms(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield copies of a definition that lack an element, or have something else in its place."""
    for place in places(definition):
        for value in (..., *MOST_OFTEN_ODD):
            made = copy.deepcopy(definition)
            owner: Any = made
            for step in place[:-1]:
                owner = owner[step]
            if value is ...:
                del owner[place[-1]]
            else:
                owner[place[-1]] = value
            if "resourceType" in made and not any(shape_problems(made)):
                yield made


@pytest.mark.parametrize("name", DEFINITIONS)
def test_no_rule_fails(name: str) -> None:
    others = [d for other, d in DEFINITIONS.items() if other != name]
    count = 0
    for odd in odd_forms(DEFINITIONS[name]):
        knowledge = KNOWLEDGE.with_definitions([*others, odd])
        for rule in RULES:
            if rule not in CHECKED_ELSEWHERE:
                list(rule(odd, knowledge))
        count += 1
    assert count > 10
