"""Where suites are looked for, and what the tool that fetches them takes and refuses."""

import importlib.util
import io
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from .suites import ROOT, folders, missing, suite


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fetch_suites", ROOT / "tools/fetch_suites.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fetch_suites"] = module
    spec.loader.exec_module(module)
    return module


def test_a_named_folder_is_the_only_one() -> None:
    assert folders({"CAREPATH_SUITES": "elsewhere"}) == (Path("elsewhere"),)
    assert folders({}) == (ROOT / ".suites", ROOT / "../shared/suites")


def test_a_suite_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    here = {"CAREPATH_SUITES": str(tmp_path), "CAREPATH_SUITES_NEEDED": "there away"}
    assert suite("there", here) == tmp_path / "there"
    assert suite("not-needed", here) == tmp_path / "not-needed"
    with pytest.raises(FileNotFoundError, match=r"The suite `away` is not in .*: `make"):
        suite("away", here)
    assert missing(tmp_path / "away") == "the suite `away` is not here: `make suites` fetches it"


def archive(files: dict[str, str]) -> zipfile.ZipFile:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return zipfile.ZipFile(content)


def test_the_suite_of_a_version_comes_with_its_inputs(tool: ModuleType) -> None:
    root = "org/hl7/fhir/testcases/r4"
    suite_text = '<test inputfile="a.xml"/><test inputfile="b.json"/><test inputfile="a.xml"/>'
    there = {f"{root}/fhirpath/tests-fhir-r4.xml": suite_text, f"{root}/a.xml": "<a/>"}
    both = archive({**there, f"{root}/b.json": "{}", f"{root}/c.json": "{}"})
    assert dict(tool.fhirpath(both, "r4")) == {
        "tests-fhir-r4.xml": suite_text.encode(),
        "input/a.xml": b"<a/>",
        "input/b.json": b"{}",
    }
    with pytest.raises(tool.Unfit, match=r"The archive lacks b\.json, which the suite of r4 names"):
        dict(tool.fhirpath(archive(there), "r4"))


def test_examples_are_neither_definitions_nor_forms_nor_huge(tool: ModuleType) -> None:
    resources = {
        "patient": {"resourceType": "Patient", "id": "p"},
        "sets": {"resourceType": "ValueSet"},
        "form": {"resourceType": "Questionnaire", "id": "qs1"},
        "survey": {"resourceType": "Questionnaire", "id": "s"},
        "huge": {"resourceType": "Binary", "data": "x" * 200_000},
        "conceptmaps": {"resourceType": "Bundle"},
        "version": {"a": 1},
    }
    texts = {f"json/spec/{name}.json": json.dumps(r) for name, r in resources.items()}
    other = {"json/ibm/patient.json": "{}", "json/spec/patient.xml": "<a/>"}
    found = [name for name, _ in tool.examples(archive({**texts, **other}))]
    assert found == ["patient.json", "survey.json"]


def test_a_suite_is_written_whole_and_then_not_again(tool: ModuleType, tmp_path: Path) -> None:
    old, new = tool.Archive("g:a:1", "00"), tool.Archive("g:a:2", "00")
    folder = tmp_path / "suite"
    assert tool.write(folder, iter([("a.json", b"1"), ("input/b.json", b"2")]), old) == 2
    assert (tool.is_there(folder, old), tool.is_there(folder, new)) == (True, False)
    assert tool.write(folder, iter([("c.json", b"3")]), new) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["SOURCE", "c.json"]
    assert tool.is_there(folder, new)


def test_another_file_than_the_pinned_one_is_refused(tool: ModuleType) -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    tool.check(tool.Archive("g:a:1", empty), b"")
    with pytest.raises(tool.Unfit, match="g:a:1 is not the file that was pinned"):
        tool.check(tool.Archive("g:a:1", empty), b"x")


def test_without_maven_a_sentence_says_so(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(tool.shutil, "which", lambda _: None)
    assert tool.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith("Maven fetches the suites and is not here.")


def test_cases_for_validators_come_with_what_is_expected_of_them(tool: ModuleType) -> None:
    root = "org/hl7/fhir/testcases/validator"
    used = {"version": "4.0", "java": "java/a.json", "module": "general"}
    cases = [
        {**used, "name": "bad", "file": "a.json"},
        {**used, "name": "with a package", "file": "a.json", "packages": ["x"], "java": "java/b"},
        {**used, "name": "of R5", "file": "b.json", "version": "5.0"},
        {**used, "name": "of another format", "file": "c.json", "module": "json5"},
        {**used, "name": "switched off", "file": "d.json", "use-test": False},
        {**used, "name": "without an outcome", "file": "e.json", "java": "java/none.json"},
    ]
    files = archive(
        {
            f"{root}/manifest.json": json.dumps({"test-cases": cases}),
            f"{root}/outcomes/java/a.json": '{"issue": [{"severity": "error"}]}',
            f"{root}/outcomes/java/b": '{"issue": [{"severity": "warning"}]}',
            **{f"{root}/{name}.json": "{}" for name in "abcde"},
        }
    )
    found = dict(tool.validator(files))
    assert json.loads(found.pop("expected.json")) == {
        "bad": {"file": "a.json", "bad": True, "plain": True},
        "with a package": {"file": "a.json", "bad": False, "plain": False},
    }
    assert found == {"files/a.json": b"{}"}
