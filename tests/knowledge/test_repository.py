"""Definitions are found by canonical, version, id and URN, and never change."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepath.errors import DefinitionNotFound, InvalidContent, UnresolvedCanonical
from carepath.knowledge import Knowledge
from carepath.knowledge.versions import version_key


def library(version: str = "", **more: Any) -> dict[str, Any]:
    made = {"resourceType": "Library", "id": "l", "url": "http://x/Library/l", **more}
    return {**made, "version": version} if version else made


def test_newest_version_answers_unless_one_is_pinned() -> None:
    knowledge = Knowledge.of([library("1.9.0"), library("1.10.0"), library("1.10.0-beta")])
    assert knowledge.resolve("http://x/Library/l")["version"] == "1.10.0"
    assert knowledge.resolve("http://x/Library/l|1.9.0")["version"] == "1.9.0"
    assert knowledge.definition("Library", "l")["version"] == "1.10.0"
    with pytest.raises(UnresolvedCanonical) as caught:
        knowledge.resolve("http://x/Library/l|2", library("1.9.0"))
    assert caught.value.wanted_by == "http://x/Library/l|1.9.0"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("", "0.1"),
        ("draft", "0.1"),
        ("1.0.0-alpha", "1.0.0-alpha.1"),
        ("1.0.0-alpha.1", "1.0.0-beta"),
        ("1.0.0-rc.9", "1.0.0-rc.10"),
        ("1.0.0-rc.1", "1.0.0"),
        ("1.9", "1.10"),
        ("v1", "2"),
        ("2024", "2025.1"),
    ],
)
def test_versions_are_ordered(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)


def test_trailing_zeros_are_no_difference() -> None:
    assert version_key("1.0") == version_key("1.0.0")


@given(st.lists(st.text(max_size=8) | st.from_regex(r"\d{1,2}(\.\d{1,2}){0,2}", fullmatch=True)))
def test_any_texts_can_be_ordered(versions: list[str]) -> None:
    assert sorted(versions, key=version_key) == sorted(reversed(versions), key=version_key) or (
        len({version_key(v) for v in versions}) < len(versions)
    )


def test_contained_urn_and_relative_canonicals() -> None:
    inside = {"resourceType": "ActivityDefinition", "id": "a", "status": "draft"}
    plan = {"resourceType": "PlanDefinition", "id": "p", "url": "urn:uuid:1", "contained": [inside]}
    by_oid = {
        "resourceType": "Library",
        "id": "o",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2"}],
    }
    knowledge = Knowledge.of([plan, by_oid])
    assert knowledge.find("#a", plan) is inside
    assert knowledge.find("#b", plan) is None
    assert knowledge.find("#a") is None
    assert knowledge.find("urn:uuid:1") is plan
    assert knowledge.find("urn:oid:1.2") is by_oid
    assert knowledge.find("Library/o") is by_oid
    assert knowledge.find("urn:uuid:1", resource_type="Library") is None


def test_adding_definitions_gives_another_knowledge() -> None:
    before = Knowledge.of([library("1", title="old")])
    after = before.with_definitions([library("1", title="new"), library("2")])
    assert before.resolve("http://x/Library/l")["version"] == "1"
    assert after.resolve("http://x/Library/l")["version"] == "2"
    assert after.resolve("http://x/Library/l|1")["title"] == "new"
    assert before.with_definitions([]) is before


def test_unknown_definition_is_named() -> None:
    with pytest.raises(DefinitionNotFound) as caught:
        Knowledge.of([]).plan("nowhere")
    assert (caught.value.resource_type, caught.value.id) == ("PlanDefinition", "nowhere")


def test_a_thing_is_derived_once_for_all_threads() -> None:
    knowledge, made = Knowledge.of([]), []

    def make(_: Knowledge) -> object:
        made.append(1)
        return object()

    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(knowledge.derived(make))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(set(map(id, found))) == 1


@pytest.mark.parametrize(
    ("content", "element"),
    [
        ("{", "line 1, column 2"),
        ('{"a": 1,}', "line 1, column 9"),
        ("[1]", "file"),
        ('{"id": "x"}', "resourceType"),
        ('{"resourceType": "Plan"}', "resourceType"),
        ('{"resourceType": "Library", "contents": []}', "Library.contents"),
        ('{"resourceType": "Library", "name": 7}', "Library.name"),
        ('{"resourceType": "Library", "type": "logic"}', "Library.type"),
        ('{"resourceType": "Library", "parameter": {}}', "Library.parameter"),
        (
            '{"resourceType": "PlanDefinition", "action": [{"condition": [{"kind": {}}]}]}',
            "PlanDefinition.action[0].condition[0].kind",
        ),
        (
            '{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "X"}}]}',
            "Bundle.entry[0].resource.resourceType",
        ),
    ],
)
def test_a_broken_file_is_named_with_the_element(
    tmp_path: Path, content: str, element: str
) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (folder / "broken.json").write_text(content, "utf-8")
    with pytest.raises(InvalidContent) as caught:
        Knowledge.from_folder(tmp_path)
    assert caught.value.source == "inner/broken.json"
    assert caught.value.element == element


def test_a_folder_with_bundles_and_other_files(tmp_path: Path) -> None:
    content = {"resourceType": "Bundle", "entry": [{"resource": library("1")}]}
    (tmp_path / "all.json").write_text(json.dumps(content), "utf-8")
    (tmp_path / "x.schema.json").write_text("{}", "utf-8")
    (tmp_path / "package.json").write_text("{}", "utf-8")
    (tmp_path / "README.md").write_text("text", "utf-8")
    assert Knowledge.from_folder(tmp_path).all("Library") == (library("1"),)


def test_the_same_canonical_twice_is_refused(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(library("1")), "utf-8")
    with pytest.raises(InvalidContent) as caught:
        Knowledge.from_folder(tmp_path)
    assert caught.value.source == "b.json"
    assert "a.json" in caught.value.reason


def test_no_folder() -> None:
    with pytest.raises(InvalidContent):
        Knowledge.from_folder("/nowhere/at/all")


def test_what_is_shipped_is_read_once() -> None:
    assert Knowledge.shipped() is Knowledge.shipped()
    assert Knowledge.shipped().definition("Library", "mst-facts")["status"] == "draft"
