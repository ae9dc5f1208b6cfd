"""The page on security names what there is: rights, elements, and for each threat a test."""

import re
from pathlib import Path

from carepath.web.authorisation import registry
from carepath.web.authorisation.rights import Right
from carepath.web.operations.rights import RIGHTS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")
THREATS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("## Whom we fear")[2].splitlines()
    if line.startswith("| ")
][1:]


def test_each_threat_has_a_test_that_is_there() -> None:
    named = {threat: re.findall(r"`(tests/[^`]+)`", cells[-1]) for threat, *cells in THREATS}
    assert len(named) == len(THREATS) >= 16
    assert [threat for threat, tests in named.items() if not tests] == []
    assert [path for tests in named.values() for path in tests if not (ROOT / path).exists()] == []


def test_each_test_of_this_room_guards_a_threat() -> None:
    here = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert {name for name in here if name not in PAGE} == {Path(__file__).name}


def test_each_right_and_each_parameter_that_needs_one_is_on_the_page() -> None:
    words = {*(right.value for right in Right), *RIGHTS} - {"codeSystem"}
    assert [word for word in words if f"`{word}`" not in PAGE] == []


def test_each_element_of_the_registry_is_on_the_page() -> None:
    text = Path(registry.__file__).read_text("utf-8")
    names = set(re.findall(r'part\.\w+\(\s*"(\w+)"', text))
    names |= set(re.findall(r'root\.\w+\("(\w+)"', text)) | set(registry._TOKENS)
    assert len(names) > 15
    assert [name for name in names if f"{name}:" not in PAGE] == []
