"""The cases with one element changed at random: no change of a definition ends in a crash.

Bad content is normal input: it is refused with an error of ours, or the rest of the plan comes
back; and what is valid after the change still gives a valid answer.  The changes are the same in
every run.
"""

import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.apply import ApplyRequest, apply_activity, apply_plan
from carepath.errors import CarepathError
from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.validation import check_structure

HERE = Path(__file__).parent
NOW = datetime.fromisoformat("2026-03-31T09:15:00+04:00")
CHANGES = 6
PARTS = 10
DELETED = object()
VALUES: tuple[Any, ...] = (
    DELETED, DELETED, "", "x", 0, -1, True, [], {}, ["x"], [{}], {"a": 1}, "urn:x", "#nope",
)  # fmt: skip


def is_for_functions(path: Path) -> bool:
    """Tell whether a case can be run as a function; the one that takes long is left out."""
    return "needs" not in decode(path.read_bytes()) and path.stem != "error-hostile-expression"


FILES = [p for p in sorted((HERE / "cases").glob("*.json")) if is_for_functions(p)]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield container and key of everything below a value."""
    keys: Any = value if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        if key != "resourceType":
            yield value, key
            if isinstance(value[key], dict | list):
                yield from places(value[key])


def change(case: dict[str, Any], chance: random.Random) -> str:
    """Change one element of the definitions; return what was changed."""
    found = [p for d in case["definitions"] for p in places(d)]
    container, key = chance.choice(found)
    value = chance.choice(VALUES)
    if value is DELETED:
        del container[key]
        return f"{key} deleted"
    container[key] = value
    return f"{key} = {value!r}"


def answers(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Apply the case; raises CarepathError when it cannot be applied."""
    resource_type, _, id_ = case["request"]["definition"].partition("/")
    knowledge = Knowledge.of(case["definitions"])
    definition = knowledge.definition(resource_type, id_)
    given = case["request"]["parameters"]
    names = ("subject", "encounter", "practitioner", "organization")
    people = {name: given[name] for name in names if name in given}
    language = given.get("userLanguage")
    request = ApplyRequest(
        definition, Record.of(case["data"]), NOW, user_language=language, **people
    )
    if resource_type == "ActivityDefinition":
        return [apply_activity(request, knowledge).resource]
    applied = apply_plan(request, knowledge)
    return [applied.care_plan(), applied.bundle()]


def errors_in(resources: list[dict[str, Any]]) -> list[Any]:
    return [i for r in resources for i in check_structure(r) if i.is_error]


def harm(path: Path) -> Iterator[str]:
    """Yield what makes of a valid case an invalid answer."""
    chance = random.Random(path.stem)  # noqa: S311 (the same changes every time)
    for _ in range(CHANGES):
        case = decode(path.read_bytes())
        changed = change(case, chance)
        with suppress(CarepathError):
            made = answers(case)
            if not errors_in(case["definitions"]) and errors_in(made):
                yield f"{path.stem}, {changed}: {errors_in(made)}"


@pytest.mark.parametrize("part", range(PARTS))
def test_a_changed_definition_does_no_harm(part: int) -> None:
    assert [told for path in FILES[part::PARTS] for told in harm(path)] == []
