"""YAML reads as the JSON that it stands for, and is written so that it reads the same again."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepath.errors import MalformedInput
from carepath.formats import json, yaml
from carepath.formats.files import decode_file

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "yaml"
SHIPPED = sorted((ROOT / "pathways").glob("mst-*/plan-definition.json"))
FACTS = ROOT / "pathways/shared/libraries/mst-facts.json"

READS: dict[str, tuple[str, Any]] = {
    "words of YAML 1.1": (
        "[no, yes, on, off, y, N, No]",
        ["no", "yes", "on", "off", "y", "N", "No"],
    ),
    "dates": (
        "[2026-11-24, 2026-11-24T09:15:00+04:00, 09:15:00]",
        ["2026-11-24", "2026-11-24T09:15:00+04:00", "09:15:00"],
    ),
    "values of JSON": ("[true, False, null, ~, 0, -12]", [True, False, None, None, 0, -12]),
    "nothing": ("a:\nb: ''", {"a": None, "b": ""}),
    "versions": ("[1.0.0, 4.0.1]", ["1.0.0", "4.0.1"]),
    "quoted": ("['no', \"1.0\", '012']", ["no", "1.0", "012"]),
    "tagged as text": ("!!str 012", "012"),
    "a block": ("a: |\n  x\n   # y\n\n  z\nb: >-\n  x\n  y", {"a": "x\n # y\n\nz\n", "b": "x y"}),
    "a copy": ("a: &x {b: [1]}\nc: *x", {"a": {"b": [1]}, "c": {"b": [1]}}),
    "JSON": ('{"a": [1, {"b": "\\ud83d\\ude00\\u00e9"}]}', {"a": [1, {"b": "😀é"}]}),
    "a mark of byte order": ("\ufeffa: 1", {"a": 1}),
    "version 1.2": ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
}


@pytest.mark.parametrize(("text", "value"), READS.values(), ids=READS.keys())
def test_reads(text: str, value: Any) -> None:
    found = yaml.decode(text.encode())
    assert json.encode(found) == json.encode(value)
    assert found == value


def test_decimals_are_exact() -> None:
    found = yaml.decode(b"[1.10, 1.0, 0.1, 100000000000000000000.1, 1E+2]")
    assert [str(value) for value in found] == [
        "1.10",
        "1.0",
        "0.1",
        "100000000000000000000.1",
        "1E+2",
    ]
    assert all(isinstance(value, Decimal) for value in found)
    assert json.encode(found) == b"[1.10,1.0,0.1,100000000000000000000.1,1E+2]"


def test_a_copy_is_no_part_of_two_values() -> None:
    found = yaml.decode(b"a: &x {b: [1]}\nc: *x")
    found["a"]["b"].append(2)
    assert found["c"] == {"b": [1]}


REFUSED: dict[str, dict[str, str]] = json.decode((DATA / "refused.json").read_bytes())


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_refused(case: dict[str, str]) -> None:
    with pytest.raises(MalformedInput) as caught:
        yaml.decode(case["text"].encode())
    assert (caught.value.where, caught.value.reason) == (case["where"], case["reason"])


def test_what_is_no_text_is_refused() -> None:
    for data in (b"a: \xff", b"a: \x00"):
        with pytest.raises(MalformedInput):
            yaml.decode(data)


def test_a_hostile_text_is_refused_soon() -> None:
    started = time.perf_counter()
    for text in ("[" * 100_000, "{a: " * 100_000, "- " * 10_000, "&a " * 1000):
        with pytest.raises(MalformedInput):
            yaml.decode(text.encode())
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("path", [*SHIPPED[::4], FACTS], ids=lambda path: path.parent.name)
def test_shipped_content_is_the_same_in_yaml(path: Path) -> None:
    data = path.read_bytes()
    written = yaml.encode(json.decode(data))
    assert json.encode(decode_file("x.yaml", written), pretty=True) == json.encode(
        json.decode(data), pretty=True
    )


NUMBERS = st.integers(-(10**12), 10**12) | st.decimals(-1000, 1000, places=3)
TEXTS = st.text(max_size=12) | st.text(" #:-'\"\n[]{}&*!|>%@,?ab0.1", max_size=12)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_whatever_is_written_reads_the_same(value: Any) -> None:
    assert json.encode(yaml.decode(yaml.encode(value))) == json.encode(value)


@settings(max_examples=300, deadline=None)
@given(st.text("ab:-#\n  []{}\"'|>&*!%@,?<~019.eE\\\t", max_size=24))
def test_whatever_is_read_is_a_value_or_refused(text: str) -> None:
    """Nothing but our own error escapes; comments stay the same when they are written again."""
    try:
        found = yaml.read(text.encode())
    except MalformedInput:
        return
    again = yaml.read(yaml.encode(*found))
    assert again == found


COMMENTED = DATA / "commented.yaml"


def test_comments_are_kept() -> None:
    data = COMMENTED.read_bytes()
    assert yaml.encode(*yaml.read(data)) == data


def test_comments_go_where_their_elements_go() -> None:
    """Steps change places, one loses an element, another text comes: the rest stays as it is."""
    value, comments = yaml.read(COMMENTED.read_bytes())
    one, two = value["action"]
    del one["condition"]
    written = yaml.encode({**value, "action": [two, {**one, "title": "First"}]}, comments)
    assert written.decode() == (
        "# A plan for the desk.\n"
        "resourceType: PlanDefinition  # what it is\n"
        "id: desk\n"
        "action:  # in this order\n"
        "  - id: two\n"
        "    # Without a title.\n"
        "    code:\n"
        '      - text: "#1"\n'
        "  # The first step.\n"
        "  # It comes first.\n"
        "  - id: one  # the name\n"
        "    title: First\n"
        "goal: []\n"
        "# That is all.\n"
    )
