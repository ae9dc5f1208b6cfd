"""Making snapshots: `tools/snapshots/build.py` on small bases, and the shipped ones made anew."""

import importlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "fhir_profiles/structure-definitions"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("snapshots", ROOT / "tools/snapshots/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load()


def base(name: str, *elements: dict[str, Any]) -> dict[str, Any]:
    whole = [{"id": e["path"], "comment": "long", "min": 0, "max": "1", **e} for e in elements]
    return {"url": f"http://b/{name}", "type": name, "snapshot": {"element": whole}}


BASES = {
    "Thing": base(
        "Thing",
        {"path": "Thing", "constraint": [{"key": "t-1", "xpath": "x"}]},
        {"path": "Thing.part", "max": "*"},
        {"path": "Thing.part.code", "type": [{"code": "Concept"}]},
        {"path": "Thing.value[x]", "type": [{"code": "Amount"}, {"code": "string"}]},
        {"path": "Thing.last"},
    ),
    "Concept": base("Concept", {"path": "Concept"}, {"path": "Concept.text", "short": "words"}),
    "Amount": base("Amount", {"path": "Amount"}, {"path": "Amount.unit"}),
}


def made(*changed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    definition = {"type": "Thing", "url": "http://p", "differential": {"element": list(changed)}}
    return {element["id"]: element for element in build.snapshot(definition, BASES)}


def test_what_is_not_changed_is_kept_without_its_texts() -> None:
    found = made({"id": "Thing", "path": "Thing", "short": "mine"})
    assert list(found) == [
        "Thing", "Thing.part", "Thing.part.code", "Thing.value[x]", "Thing.last"
    ]  # fmt: skip
    assert "comment" not in found["Thing.last"]
    assert found["Thing"]["constraint"] == [{"key": "t-1", "source": "http://b/Thing"}]
    assert found["Thing"]["definition"] == "mine"


def test_constraints_are_added_to_those_of_the_base() -> None:
    found = made({"id": "Thing", "path": "Thing", "constraint": [{"key": "p-1"}]})
    assert found["Thing"]["constraint"][1] == {"key": "p-1", "source": "http://p"}


def test_a_slice_stands_behind_what_it_slices_with_children_of_its_own() -> None:
    one = {"id": "Thing.part:a", "path": "Thing.part", "sliceName": "a", "max": "1"}
    two = {"id": "Thing.part:b", "path": "Thing.part", "sliceName": "b"}
    inner = {"id": "Thing.part:b.code", "path": "Thing.part.code", "min": 1}
    found = made(one, two, inner)
    assert [key for key in found if ".part" in key] == [
        "Thing.part", "Thing.part.code", "Thing.part:a", "Thing.part:a.code",
        "Thing.part:b", "Thing.part:b.code",
    ]  # fmt: skip
    assert (found["Thing.part:a"]["max"], found["Thing.part:b"]["max"]) == ("1", "*")
    assert (found["Thing.part:b.code"]["min"], found["Thing.part:a.code"]["min"]) == (1, 0)


def test_a_data_type_is_unfolded_when_something_inside_is_changed() -> None:
    found = made({"id": "Thing.part.code.text", "path": "Thing.part.code.text", "min": 1})
    assert found["Thing.part.code.text"]["min"] == 1
    assert found["Thing.part.code.text"]["short"] == "words"


def test_a_choice_of_one_type_can_be_unfolded_and_one_of_two_cannot() -> None:
    narrowed = {"id": "Thing.value[x]", "path": "Thing.value[x]", "type": [{"code": "Amount"}]}
    inner = {"id": "Thing.value[x].unit", "path": "Thing.value[x].unit", "min": 1}
    assert made(narrowed, inner)["Thing.value[x].unit"]["min"] == 1
    with pytest.raises(build.SnapshotError, match="2 types"):
        made(inner)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": "Thing.part.nothing", "path": "Thing.part.nothing"}, "0 types"),
        ({"id": "Thing.part.code.no", "path": "Thing.part.code.no"}, "not an element"),
        ({"id": "Thing.no:a", "path": "Thing.no", "sliceName": "a"}, "not there to be sliced"),
        ({"id": "Thing.no.deep", "path": "Thing.no.deep"}, "before its parent"),
    ],
)
def test_what_cannot_be_applied_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(build.SnapshotError, match=words):
        made(changed)


@pytest.mark.network
def test_the_shipped_snapshots_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    source = importlib.import_module("tools.generate_r4.source")
    bases = {definition["type"]: definition for definition in source.load(None).types()}
    for path in sorted(FOLDER.glob("*.json")):
        definition = json.loads(path.read_text("utf-8"))
        assert definition["snapshot"]["element"] == build.snapshot(definition, bases), path.name
