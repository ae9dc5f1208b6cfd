"""The pages of all case patients, read as a tumour board would: order, counts, words.

https://hl7.org/fhir/R4/narrative.html
"""

import re
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from carepath.apply import Applied
from carepath.apply.page.order import PRIORITIES
from carepath.apply.page.setting import narrative
from carepath.apply.page.sheet import Item, Sheet
from carepath.authoring.cases import read_cases, run_case
from carepath.command.plan_size import size_of
from carepath.command.plan_text import care_plan_text
from carepath.knowledge import Knowledge

CASES = {case.name: case for case in read_cases(Path(__file__).parents[1] / "cases")}
WHOLE = [name for name, case in CASES.items() if case.pathway == "mst-pathway"]
PLAIN = "mst-os-path-panel/plain-patient"
MOST_STEPS = 7


@cache
def applied(name: str) -> Applied:
    return run_case(CASES[name], Knowledge.shipped())


@cache
def page(name: str) -> str:
    return care_plan_text(applied(name).care_plan())


def sheets() -> dict[str, Sheet]:
    return {name: applied(name).sheet for name in WHOLE}


def rank(item: Item) -> tuple[int, bool, int]:
    must = 0 if item.is_must else 2 if item.is_could else 1
    return PRIORITIES.index(item.priority or "routine"), not item.is_decided, must


def test_steps_are_few_the_urgent_ones_first_then_what_is_decided_then_must_then_could() -> None:
    wrong = {
        name: [item.title for item in sheet.steps]
        for name, sheet in sheets().items()
        if len(sheet.steps) > MOST_STEPS
        or any(rank(a) > rank(b) for a, b in pairwise((*sheet.steps, *sheet.further)))
    }
    assert wrong == {}


def test_every_step_that_applies_is_on_the_page() -> None:
    """Nothing that a plan proposes is lost between the decisions and the page."""
    lost = {}
    for name in WHOLE:
        result = applied(name)
        shown = {item.title for item in result.sheet.items}
        shown |= {leaflet.title for leaflet in result.sheet.leaflets}
        made = {d.title for d in result.decisions if d.request and d.outcome == "met"}
        asking = {"Record what is missing", "Record: stage", "Record the ECOG performance status"}
        missing = {t for t in made - shown - asking if t not in page(name)}
        if missing:
            lost[name] = missing
    assert lost == {}


def test_nothing_is_said_twice() -> None:
    """No line stands twice, and no conflict between sources is told twice."""
    twice = {}
    for name in WHOLE:
        lines = [line.lstrip("0123456789.- ") for line in page(name).splitlines() if line.strip()]
        again = {line for line in lines if lines.count(line) > 1}
        notes = applied(name).sheet.footnotes
        again |= {note for note in notes if notes.count(note) > 1}
        if again:
            twice[name] = again
    assert twice == {}


def test_no_internal_name_is_shown() -> None:
    """What people read are labels and texts of the Library, never names or codes of facts."""
    library = Knowledge.shipped().definition("Library", "mst-facts")
    expressions = [e["valueExpression"] for e in library["extension"] if "valueExpression" in e]
    camel = {e["name"] for e in expressions if re.search("[a-z][A-Z]", e.get("name", ""))}
    values = {
        part["valueString"]
        for e in expressions
        for extension in e.get("extension", ())
        if extension["url"].endswith("fact-value-text")
        for part in extension["extension"]
        if part["url"] == "value" and "-" in part["valueString"]
    }
    internal = re.compile(rf"\b({'|'.join(sorted(camel | values))})\b(?! of | scan)")
    common = {"soft-tissue", "lymph-node", "wild-type"}  # words of plain English as well
    found = {
        (name, hit) for name in WHOLE for hit in internal.findall(page(name)) if hit not in common
    }
    assert found == set()


def test_reasons_are_whole() -> None:
    """A reason has a label and a value, is no auxiliary fact, and there are three at most."""
    wrong = {
        (name, item.title)
        for name, sheet in sheets().items()
        for item in sheet.items
        if len(item.reasons) > 3 or any(not (r.label and r.value) for r in item.reasons)
    }
    assert wrong == set()
    assert not [name for name in WHOLE if re.search(r"Because: *[.;]|\(\)|: *$|None", page(name))]


def test_every_step_names_who_says_so() -> None:
    unsourced = {
        (name, item.title)
        for name, sheet in sheets().items()
        for item in sheet.items
        if not item.sources
    }
    assert unsourced == set()


def test_choices_have_two_sides_and_one_is_open() -> None:
    wrong = {
        (name, choice.title)
        for name, sheet in sheets().items()
        for choice in sheet.choices
        if len(choice.options) < 2 or all(option.waits_for for option in choice.options)
    }
    assert wrong == set()


def test_loss_of_a_limb_is_named_only_where_it_is_decided() -> None:
    named = {name for name in WHOLE if "amputat" in page(name).lower()}
    expected = {
        name
        for name in WHOLE
        if any(
            "amput" in str(fact["value"]).lower()
            for d in applied(name).decisions
            for fact in d.facts
        )
    }
    assert named <= expected


def test_patients_read_of_no_drug_that_nobody_has_chosen() -> None:
    """A drug between which the team chooses is named to nobody before the team has chosen."""
    told = {}
    for name in WHOLE:
        result = applied(name)
        sheet = result.sheet
        chosen = [item for item in (*sheet.steps, *sheet.further) if item.request]
        offered = [item for choice in sheet.choices for item in choice.options]
        texts = {item.for_patient for item in offered if item.request == "MedicationRequest"}
        texts -= {item.for_patient for item in chosen}
        page_ = narrative(sheet, "patient")["div"]
        if any(text and escape(text) in page_ for text in texts):
            told[name] = texts
    assert told == {}


def test_the_expiry_is_one_line() -> None:
    late = {name: page(name).count("Out of date") for name in WHOLE}
    assert max(late.values()) == 1


@pytest.mark.parametrize("name", [PLAIN])
def test_the_plain_patient_fits(name: str) -> None:
    size = size_of(applied(name).care_plan())
    assert size.requests <= 10
    assert size.bytes <= 25_000
    assert size.lines <= 40
    assert len(applied(name).sheet.questions) <= 3


def test_the_median_of_the_case_patients_is_below_25_kilobytes() -> None:
    sizes = {name: size_of(applied(name).care_plan()) for name in WHOLE}
    middle = median(size.bytes for size in sizes.values())
    assert middle < 25_000
    assert max(size.lines for size in sizes.values()) <= 40
