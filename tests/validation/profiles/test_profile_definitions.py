"""The shipped profiles, extensions and operations: whole, fresh and consistent with each other."""

import json
from pathlib import Path
from typing import Any

import pytest

from carepath.knowledge import Knowledge
from carepath.validation import validate
from carepath.validation.profiles.tree import compile_profile

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "fhir_profiles"
STRUCTURES = sorted((FOLDER / "structure-definitions").glob("*.json"))
OPERATIONS = sorted((FOLDER / "operation-definitions").glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


@pytest.mark.parametrize("path", [*STRUCTURES, *OPERATIONS], ids=lambda path: path.stem)
def test_a_definition_is_valid_and_named_by_its_file(path: Path) -> None:
    definition = read(path)
    kind = definition["resourceType"]
    assert definition["id"] == path.stem
    assert definition["url"] == f"https://carepath.example/fhir/{kind}/{path.stem}"
    assert (definition["status"], definition["experimental"]) == ("draft", True)
    assert [i for i in validate(definition, definitions=Knowledge.shipped()) if i.is_error] == []


@pytest.mark.parametrize("path", STRUCTURES, ids=lambda path: path.stem)
def test_a_snapshot_holds_all_that_the_differential_says(path: Path) -> None:
    definition = read(path)
    snapshot = {element["id"]: element for element in definition["snapshot"]["element"]}
    assert len(snapshot) == len(definition["snapshot"]["element"])
    for element in definition["differential"]["element"]:
        made = snapshot[element["id"]]
        for key, value in element.items():
            if key in ("constraint", "mapping"):
                keys = [c.get("key", c.get("map")) for c in made[key]]
                assert all(c.get("key", c.get("map")) in keys for c in value)
            else:
                assert made[key] == value, (element["id"], key)


@pytest.mark.parametrize("path", STRUCTURES, ids=lambda path: path.stem)
def test_a_snapshot_can_be_compiled(path: Path) -> None:
    profile = compile_profile(read(path))
    assert profile is not None
    assert profile.parent == ""
    assert profile.root.children


def test_every_value_set_that_is_bound_is_known() -> None:
    known = Knowledge.shipped()
    for path in STRUCTURES:
        for element in read(path)["differential"]["element"]:
            url = element.get("binding", {}).get("valueSet")
            assert url is None or known.terminology.expansion(url) is not None, url


def test_every_extension_that_is_used_is_defined() -> None:
    used = {
        url
        for folder in ("pathways", "fhir_profiles", "server/carepath")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".json", ".py")
        for url in _own_extensions(path.read_text("utf-8"))
    }
    defined = {read(path)["url"] for path in STRUCTURES}
    assert used <= defined


def _own_extensions(text: str) -> set[str]:
    """Return the URLs under our root for extensions and profiles that a file names in full."""
    root = "https://carepath.example/fhir/StructureDefinition/"
    parts = text.split(root)[1:]
    names = {part.split('"')[0].split("'")[0].split("|")[0].split("`")[0] for part in parts}
    return {root + name for name in names if name.replace("-", "").isalnum()}


def test_operations_have_a_code_of_their_own_for_each_type() -> None:
    seen: set[tuple[str, str]] = set()
    for path in OPERATIONS:
        operation = read(path)
        for resource_type in operation.get("resource", ["system"]):
            assert (operation["code"], resource_type) not in seen
            seen.add((operation["code"], resource_type))
        assert operation["affectsState"] is False
