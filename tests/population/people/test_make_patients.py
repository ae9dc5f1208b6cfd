"""`carepath make-patients`: what is written, and what is refused."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from carepath.command.main import main


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["make-patients", *map(str, arguments)])


def test_bundles_are_lines_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    out = tmp_path / "x.ndjson"
    assert _run(5, "--seed", 3, "--resources", 20, "--out", out).exit_code == 0
    printed = _run(5, "--seed", 3, "--resources", 20)
    assert printed.stdout_bytes == out.read_bytes()
    bundles = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert [b["entry"][0]["resource"]["id"] for b in bundles] == [f"s3-{n}" for n in range(5)]
    assert min(len(bundle["entry"]) for bundle in bundles) >= 20


def test_an_export_has_a_file_for_each_type_and_a_manifest(tmp_path: Path) -> None:
    arguments = (20, "--resources", 20, "--sloppy", 0)
    assert _run(*arguments, "--form", "export", "--out", tmp_path / "e").exit_code == 0
    manifest = json.loads((tmp_path / "e/manifest.json").read_bytes())
    found = {o["type"]: (tmp_path / "e" / o["url"]).read_bytes() for o in manifest["output"]}
    assert {o["type"]: o["count"] for o in manifest["output"]} == {
        kind: len(data.splitlines()) for kind, data in found.items()
    }
    assert len(found["Patient"].splitlines()) == 20
    exported = [json.loads(line) for data in found.values() for line in data.splitlines()]
    bundles = [json.loads(line) for line in _run(*arguments).stdout.splitlines()]
    inside = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    assert sorted(exported, key=json.dumps) == sorted(inside, key=json.dumps)


def test_nobody_is_an_empty_file() -> None:
    found = _run(0)
    assert (found.exit_code, found.stdout_bytes) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["-1"], 2, "-1 is not in the range"),
        (["1", "--form", "export"], 2, "an export is a folder"),
        (["1", "--sloppy", "2"], 2, "is not in the range"),
        (["1", "--out", "/no/such/folder/x"], 1, "cannot be written: No such file or directory."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    arguments: list[str], code: int, told: str
) -> None:
    found = CliRunner().invoke(
        main,
        ["make-patients", "--", *arguments]
        if code == 2 and arguments[0] == "-1"
        else ["make-patients", *arguments],
    )
    assert found.exit_code == code
    assert told in found.output


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_text("mine")
    found = _run(1, "--form", "export", "--out", tmp_path)
    assert found.exit_code == 1
    assert "empty" in found.output
    assert (tmp_path / "Patient.ndjson").read_text() == "mine"


def test_a_broken_description_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text('{"about": 1}')
    found = _run(1, "--people", tmp_path / "people.json")
    assert found.exit_code == 1
    assert "`$.about`" in found.output
    assert "Traceback" not in found.output
