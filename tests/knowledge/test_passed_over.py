"""Files of a content folder that are not read are told of, by every way in."""

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from carepath.command.main import main
from carepath.knowledge import passed_over
from carepath.web import Config, create_app

FSH = (
    "The file is not read: it is FHIR Shorthand. JSON and YAML are; write it as one of them, or "
    "move it elsewhere."
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with files that somebody may take for definitions, and others."""
    written = {
        "plan.fsh": "InstanceOf: PlanDefinition\n",
        "notes.ttl": "tea: at four\n",
        "plan.YAML": "resourceType: PlanDefinition\n",
        "deep/plan.XML": '<PlanDefinition xmlns="http://hl7.org/fhir"/>',
        ".github/workflow.yaml": "on: push\n",
        ".hidden.yaml": "resourceType: PlanDefinition\n",
        "README.md": "resourceType",
        "picture.svg": "<svg/>",
        "list.json": json.dumps({"resourceType": "List", "status": "current", "mode": "working"}),
    }
    for name, text in written.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    return tmp_path


def test_what_looks_like_definitions_is_named(folder: Path) -> None:
    assert [(one.name, one.holds_fhir) for one in passed_over(folder)] == [
        ("deep/plan.XML", True),
        ("notes.ttl", False),
        ("plan.YAML", True),
        ("plan.fsh", True),
    ]


def test_a_command_warns_of_them_and_goes_on(folder: Path) -> None:
    result = CliRunner().invoke(main, ["list", "--content", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    assert f"warning: {folder}/plan.fsh: {FSH}" in result.stderr.splitlines()


def test_the_service_logs_them(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "carepath.server"):
        create_app(Config(content=(str(folder),)))
    told = [(r.message, getattr(r, "fields", {}).get("file")) for r in caplog.records]
    assert (FSH, f"{folder}/plan.fsh") in told
