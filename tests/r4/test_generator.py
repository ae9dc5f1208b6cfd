"""The committed tables are what the generator makes; nobody edited them by hand."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "server/carepath/r4"
SCHEMA = ROOT / "fhir_profiles/schemas/fhir-r4.schema.json"


def run(script: str) -> str:
    """Run a script with the project's root as the place of `tools`."""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return result.stdout


def test_the_schema_is_generated_from_the_tables() -> None:
    script = (
        "from tools.generate_r4 import schema\n"
        "from tools.generate_r4.__main__ import one_line_each\n"
        "import sys\n"
        "sys.stdout.write(one_line_each(schema.table()))"
    )
    assert run(script) == SCHEMA.read_text("utf-8")


@pytest.mark.network
def test_the_tables_are_generated_from_the_official_definitions() -> None:
    script = (
        "from tools.generate_r4.__main__ import TABLES, one_line_each\n"
        "from tools.generate_r4.source import load\n"
        "import json, sys\n"
        "definitions = load(None)\n"
        "texts = {name: one_line_each(table(definitions)) for name, table in TABLES.items()}\n"
        "json.dump(texts, sys.stdout)"
    )
    for name, text in json.loads(run(script)).items():
        assert text == (TABLES / name).read_text("utf-8"), name


@pytest.mark.network
def test_the_package_is_generated_from_the_official_definitions() -> None:
    script = (
        "from tools.generate_r4 import published\n"
        "from tools.generate_r4.source import load\n"
        "import json, sys\n"
        "entries = published.entries(load(None))\n"
        "json.dump({name: text.decode() for name, text in entries.items()}, sys.stdout)"
    )
    with zipfile.ZipFile(TABLES / "published.zip") as archive:
        there = {name: archive.read(name).decode() for name in archive.namelist()}
    assert json.loads(run(script)) == there
