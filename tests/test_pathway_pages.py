"""The generated parts of the pathways' pages are fresh."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pathway_pages", ROOT / "tools/pathway_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()


@pytest.mark.parametrize("name", sorted(TOOL.plans()))
def test_page_is_fresh(name: str) -> None:
    path = ROOT / "pathways" / name / "README.md"
    assert path.exists(), "write a README for the pathway"
    text = path.read_text("utf-8")
    assert text == TOOL.page(text, TOOL.plans()[name]), "run `make pages`"


@pytest.mark.parametrize("name", sorted(TOOL.plans()))
def test_picture_is_fresh(name: str) -> None:
    text = (ROOT / "pathways" / name / TOOL.PICTURE).read_text("utf-8")
    assert text == TOOL.picture(TOOL.plans()[name]), "run `make pages`"
