"""Content in YAML is the same content: converted, checked, compared and served like JSON."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from carepath.command.main import main
from carepath.formats import json
from carepath.web import Config, create_app

DESMOID = Path(__file__).parents[1] / "authoring/desmoid"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the desmoid, with all that is in it as YAML."""
    shutil.copytree(DESMOID, tmp_path / "json")
    monkeypatch.chdir(tmp_path)
    for file in sorted(Path("json").rglob("*.json")):
        target = Path("yaml") / file.relative_to("json").with_suffix(".yaml")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(run("yaml", str(file)).stdout_bytes)
    return tmp_path


def test_the_other_writing_and_back(folder: Path) -> None:
    for file in sorted(Path("json").rglob("*.json")):
        written = Path("yaml") / file.relative_to("json").with_suffix(".yaml")
        assert json.decode(run("json", str(written)).stdout_bytes) == json.decode(file.read_bytes())
        assert run("yaml", str(written)).stdout_bytes == written.read_bytes()


def test_a_folder_in_yaml_is_checked_like_one_in_json(folder: Path) -> None:
    assert run("check", "yaml", "--tables").output == run("check", "json", "--tables").output
    shutil.move("yaml/cases", "cases")
    result = run("test", "--cases", "cases", "--content", "yaml")
    assert (result.exit_code, result.output) == (0, "2 passed, 0 failed\n")


def test_no_is_a_text_and_named_as_one(folder: Path) -> None:
    file = Path("yaml/content/plan-definition.yaml")
    text = file.read_text("utf-8")
    assert "experimental: true" in text
    file.write_text(text.replace("experimental: true", "experimental: no"), "utf-8")
    result = run("check", "yaml")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: `content/plan-definition.yaml` is broken at `PlanDefinition.experimental`: "
        "expected a value of type `boolean`.\n",
    )


def test_comments_of_another_file_are_taken_over(folder: Path) -> None:
    file = Path("yaml/content/plan-definition.yaml")
    text = file.read_text("utf-8")
    assert text.count("  - id: team\n") == 1
    commented = text.replace("  - id: team\n", "  # They meet on Mondays.\n  - id: team\n")
    file.write_text(commented, "utf-8")
    plain = run("yaml", "json/content/plan-definition.json").stdout
    taken = run("yaml", "json/content/plan-definition.json", "--comments", str(file)).stdout
    assert (plain, taken) == (text, commented)


def test_content_in_yaml_makes_no_other_plan(folder: Path) -> None:
    result = run("diff", "json/content", "yaml/content", "--patients", "yaml/cases")
    assert (result.exit_code, result.output) == (0, "0 of 2 patients get another plan.\n")


def test_the_service_serves_what_stands_in_yaml(folder: Path) -> None:
    client = create_app(Config(content=("yaml",))).test_client()
    answer = client.get("/fhir/PlanDefinition/desmoid-watch")
    assert (answer.status_code, answer.json["title"]) == (200, "Desmoid: watch and wait")


def test_the_same_definition_in_both_writings_is_refused(folder: Path) -> None:
    shutil.copy("yaml/content/library.yaml", "json/content/library.yaml")
    result = run("list", "--content", "json/content")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: `library.yaml` is broken at `Library.url`: "
        "`https://hospital.example/fhir/Library/desmoid-facts|0.1.0` is defined in `library.json` "
        "too.\n",
    )


def test_what_cannot_be_read_is_a_sentence(folder: Path) -> None:
    Path("broken.yaml").write_text("a: 1\na: 2\n", "utf-8")
    for name in ("yaml", "json"):
        result = run(name, "broken.yaml")
        assert (result.exit_code, result.stdout, result.stderr) == (
            1,
            "",
            "error: The input cannot be read (line 2, column 1): the key `a` stands twice in one "
            "object.\n",
        )
