"""`pathname()`: where an item stands, as a path that leads to it and to nothing else."""

from pathlib import Path

import pytest

from carepath.fhirpath import Environment, Known, Node, parse
from carepath.formats.json import decode

from .test_laws import NOW

RESOURCES = sorted((Path(__file__).parent / "resources").glob("*.json"))
ENVIRONMENT = Environment(now=NOW)


@pytest.mark.parametrize("short", ["", "true"])
@pytest.mark.parametrize("file", RESOURCES, ids=[file.stem for file in RESOURCES])
def test_a_path_leads_to_its_item(file: Path, short: str) -> None:
    resource = decode(file.read_bytes())
    paths = parse(f"descendants().pathname({short})").evaluate(resource, ENVIRONMENT)
    items = parse("descendants()").evaluate_nodes(resource, ENVIRONMENT)
    assert len(paths) == len(items) > 10
    for path, item in zip(paths, items, strict=True):
        (found,) = parse(path).evaluate_nodes(resource, ENVIRONMENT)
        assert _plain(found) == _plain(item)


def _plain(node: Node) -> tuple[object, str]:
    return node.value, node.type


PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"given": ["A", "B"]}, {"given": ["A"]}]}


def test_a_condition_may_ask_for_places_in_every_form() -> None:
    focus = Known.of(PATIENT)
    condition = parse("name.all(given.pathname(true).exists($this.startsWith('Patient.name[')))")
    assert condition.decide(focus, ENVIRONMENT) is True
    condition.prepare()
    assert condition.decide(focus, ENVIRONMENT) is True
    assert condition.trace(PATIENT, ENVIRONMENT).values == [True]


def test_the_resource_comes_from_the_environment_where_the_focus_is_a_part_of_it() -> None:
    environment = Environment(now=NOW, resource=PATIENT)
    name = Node(PATIENT["name"][1], "HumanName")  # type: ignore[index, arg-type]
    assert parse("pathname()").evaluate(name, environment) == []
    assert parse("%resource.name[1].pathname()").evaluate(name, environment) == ["Patient.name[1]"]


def test_what_stands_elsewhere_has_no_path() -> None:
    other = Environment(now=NOW, variables={"other": {**PATIENT, "name": [{"text": "Z"}]}})
    texts = ["%other.name", "(name.given.first() & 'x')", "1", "'a'", "today()"]
    found = {text: parse(f"{text}.pathname()").evaluate(PATIENT, other) for text in texts}
    assert found == {text: [] for text in texts}
