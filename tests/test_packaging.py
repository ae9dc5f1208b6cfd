"""The package list in pyproject.toml matches the folders in server/."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA_PACKAGES = {
    "carepath.pathways",
    "carepath.fhir_profiles",
    "carepath.examples",
    "carepath.docs",
}


def test_every_package_is_listed() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    on_disk = {
        ".".join(init.parent.relative_to(ROOT / "server").parts)
        for init in (ROOT / "server" / "carepath").rglob("__init__.py")
    }
    assert set(config["tool"]["setuptools"]["packages"]) == on_disk | DATA_PACKAGES


def test_the_version_is_told_once() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"## {config['project']['version']}" in changelog
