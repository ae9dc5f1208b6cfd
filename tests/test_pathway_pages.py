"""The generated parts of the pathways' pages are fresh."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from carepath.apply.drawing import branches_of, outline_of
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parent.parent
KNOWLEDGE = Knowledge.shipped()


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


@pytest.mark.parametrize("name", sorted(TOOL.plans()))
def test_picture_and_page_show_no_bare_expression(name: str) -> None:
    outline = outline_of(TOOL.plans()[name], KNOWLEDGE.find)
    inside = (when for _, branch in branches_of(outline.branches) for when in branch.when)
    assert [when.text for when in (*outline.scope, *inside) if not when.is_described] == []
