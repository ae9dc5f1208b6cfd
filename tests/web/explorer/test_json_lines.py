"""A resource as lines: all of it stands there, and what was read is marked."""

import json
from typing import Any

import pytest

from carepath.web.explorer.json_lines import MOST, json_lines

RESOURCE: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "x",
    "code": {"coding": [{"code": "a"}, {"code": "b"}], "text": 'quoted "text"\n\u00e4'},
    "component": [{"valueQuantity": {"value": 3, "unit": "cm"}}],
    "valueString": "s",
    "valued": True,
    "empty": [],
    "lists": [[1, 2], []],
}


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("Observation.component[0].value.value", ['"value": 3,']),
        ("Observation.component[1].value", []),
        ("Observation.code.coding[1]", ["{", '"code": "b"', "}"]),
        ("Observation.code.coding.code", ['"code": "a"', '"code": "b"']),
        ("Observation.value", ['"valueString": "s",']),
        ("Observation.valueString", ['"valueString": "s",']),
        ("Observation.id", ['"id": "x",']),
        ("Observation.empty", ['"empty": [],']),
        ("Observation.nothing.here", []),
        ("Observation", []),
        ("", []),
    ],
)
def test_an_element_is_marked_with_all_that_is_in_it(path: str, marked: list[str]) -> None:
    lines = json_lines(RESOURCE, [path])
    assert [line.text.strip() for line in lines if line.is_marked] == marked


def test_a_whole_list_is_marked() -> None:
    lines = json_lines(RESOURCE, ["Observation.component"])
    start = next(n for n, line in enumerate(lines) if line.is_marked)
    assert [line.is_marked for line in lines[start : start + 8]] == [True] * 8
    assert sum(line.is_marked for line in lines) == 8


def test_the_lines_are_the_resource() -> None:
    text = "\n".join(line.text for line in json_lines(RESOURCE, ["Observation.code"]))
    assert json.loads(text) == RESOURCE
    assert text.count("\n") + 1 == len(json_lines(RESOURCE, []))


def test_of_a_long_resource_the_beginning_is_shown() -> None:
    names = ["x"] * 100_000
    paths = [f"Patient.given[{number}]" for number in range(len(names))]
    lines = json_lines({"resourceType": "Patient", "given": names}, paths)
    assert len(lines) == MOST + 1
    assert [line.is_marked for line in lines] == [False] * 3 + [True] * (MOST - 3) + [False]
    assert lines[-1].text == "\N{HORIZONTAL ELLIPSIS}"
