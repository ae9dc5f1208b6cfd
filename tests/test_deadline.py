"""Deadlines: who looks at the clock, how often, and that nobody swallows the end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from carepath.apply import ApplyRequest, apply_plan
from carepath.deadline import Deadline, OutOfTime, check, left, paced, until
from carepath.fhirpath import Environment, parse
from carepath.formats import json as json_codec
from carepath.formats import xml as xml_codec
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.validation import readable, validate

NOW = datetime(2026, 3, 31, 9, 15, tzinfo=UTC)
MANY = 300


class Clock:
    """A clock that counts how often it is looked at; each look takes a second."""

    def __init__(self) -> None:
        self.looks = count(1)
        self.seen = 0

    def __call__(self) -> float:
        self.seen = next(self.looks)
        return float(self.seen)


@contextmanager
def ending_at(look: float) -> Iterator[Clock]:
    """Let the block end when the clock is looked at for this time."""
    clock = Clock()
    with until(Deadline(look, clock)):
        yield clock


def test_the_time_is_up_at_the_deadline_and_not_before() -> None:
    now = [10.0]
    with until(Deadline.after(5, lambda: now[0])):
        now[0] = 14.9
        check()
        now[0] = 15.0
        with pytest.raises(OutOfTime):
            check()


def test_without_a_deadline_there_is_no_end() -> None:
    check()
    assert list(paced(range(3))) == [0, 1, 2]


def test_a_deadline_ends_with_its_block_whatever_ends_that() -> None:
    with pytest.raises(ValueError, match="x"), until(Deadline(0, lambda: 1.0)):
        raise ValueError("x")
    check()
    with until(Deadline(5, lambda: 1.0)):
        with pytest.raises(OutOfTime), until(Deadline(0, lambda: 1.0)):
            check()
        check()


def test_a_deadline_is_that_of_its_thread() -> None:
    ended: list[str] = []

    def work() -> None:
        check()
        ended.append("done")

    with until(Deadline(0, lambda: 1.0)):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert ended == ["done"]


def test_loops_of_cheap_steps_look_at_the_clock_now_and_then() -> None:
    with ending_at(1_000) as clock:
        assert list(paced(range(1_000))) == list(range(1_000))
    assert clock.seen == 10
    with ending_at(3), pytest.raises(OutOfTime):
        for number in paced(range(1_000)):
            assert number < 200


def test_nobody_takes_the_end_for_a_fault_of_the_data() -> None:
    assert not issubclass(OutOfTime, Exception)


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", **elements}


def plan(*actions: dict[str, Any], **elements: Any) -> dict[str, Any]:
    head = {"resourceType": "PlanDefinition", "url": "http://x/p", "status": "active"}
    return {**head, "action": [*actions], **elements}


def action(expression: str) -> dict[str, Any]:
    said = {"language": "text/fhirpath", "expression": expression}
    return {"title": "t", "condition": [{"kind": "applicability", "expression": said}]}


def applied(definition: dict[str, Any], *data: dict[str, Any]) -> Any:
    request = ApplyRequest(definition, Record.of([patient(), *data]), NOW)
    return apply_plan(request, Knowledge.of([])).care_plan()


LONG_LIST = {"many": [*range(2_000)]}


def evaluated(text: str) -> Any:
    return parse(text).evaluate(patient(), Environment(now=NOW, variables=LONG_LIST))


def prepared(text: str) -> Any:
    expression = parse(text)
    expression.prepare()
    return expression.evaluate(patient(), Environment(now=NOW, variables=LONG_LIST))


def traced(text: str, resource: dict[str, Any]) -> Any:
    return parse(text).trace(resource, Environment(now=NOW))


def expanded(*include: dict[str, Any]) -> Any:
    compose = {"include": [*include]}
    value_set = {"resourceType": "ValueSet", "url": "http://x/v", "compose": compose}
    return Knowledge.of([value_set]).terminology.expand("http://x/v")


def validated(resource: dict[str, Any], *profiles: dict[str, Any]) -> Any:
    asked = [profile["url"] for profile in profiles]
    return validate(resource, definitions=Knowledge.of(profiles), profiles=asked, now=NOW)


def bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


NAMES = [{"family": "A"}] * MANY
CODES = [{"code": f"c{n}"} for n in range(MANY)]
XML = b"".join(
    [b'<Patient xmlns="http://hl7.org/fhir">', b"<name><family/></name>" * MANY, b"</Patient>"]
)
ESCAPED = b'{"a\\u003a":[' + b'{"b":1},' * MANY + b"1]}"
PARTS = [{"resourceType": "Specimen", "id": f"s{n}"} for n in range(MANY)]
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
RESULTS = [{**OBSERVATION, "id": f"o{n}", "wrong": 1} for n in range(MANY)]
VERSIONS = [
    {"request": {"method": method, "url": "Observation/o"}, "resource": {**OBSERVATION, "id": "o"}}
    for method in ("PUT", "DELETE")
    for _ in range(MANY)
]
SLICED = {
    "resourceType": "StructureDefinition",
    "url": "http://x/s",
    "type": "Patient",
    "derivation": "constraint",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "differential": {
        "element": [
            {"id": "Patient", "path": "Patient"},
            {"id": "Patient.name", "path": "Patient.name", "max": "*"},
            {"id": "Patient.name.family", "path": "Patient.name.family", "min": 1},
        ]
    },
}

CHAIN = "%many.where($this > 5).where($this < 5000).where($this > 7).where(true)"
UNKNOWN = [{"valueSet": [f"http://x/{n}"]} for n in range(MANY)]
LOOPS: dict[str, tuple[Callable[[], Any], int]] = {
    "expression, closures": (lambda: evaluated(CHAIN), 2),
    "expression, written": (lambda: prepared(CHAIN), 2),
    "evidence": (lambda: traced("name", patient(name=NAMES)), 4),
    "evidence of many": (lambda: traced("name.family", patient(name=NAMES)), 10),
    "long texts": (lambda: evaluated("'" + "a" * 90_000 + "'.contains('b')"), 1),
    "long texts and patterns": (lambda: evaluated("'" + "a" * 5_000 + "'.matches('b')"), 1),
    "JSON, objects": (lambda: json_codec.decode(ESCAPED), MANY),
    "XML in": (lambda: xml_codec.decode(XML), MANY),
    "XML out": (lambda: xml_codec.encode(patient(name=NAMES)), MANY),
    "invariants": (lambda: validated(patient(name=NAMES)), MANY),
    "profiles": (lambda: validated(patient(name=NAMES), SLICED), 3 * MANY),
    "faults": (lambda: readable(bundle(RESULTS)), MANY),
    "references": (lambda: validated({**OBSERVATION, "contained": PARTS}), MANY),
    "record": (lambda: Record.of([patient(), *RESULTS]).resources("Observation"), MANY),
    "versions": (lambda: Record.of({**bundle([]), "type": "history", "entry": VERSIONS}), MANY),
    "listed codes": (lambda: expanded({"system": "http://s", "concept": CODES}), 9),
    "value sets": (lambda: expanded(*UNKNOWN), MANY),
    "plans": (lambda: applied(plan(*[action("true")] * MANY)), MANY),
    "undecided actions": (lambda: applied(plan(*[action("{}")] * MANY)), MANY),
}


@pytest.mark.parametrize("name", LOOPS)
def test_every_long_loop_looks_at_the_clock(name: str) -> None:
    """As often as its kind of step asks for; and it ends at the last look as at the first."""
    loop, looks = LOOPS[name]
    with ending_at(float("inf")) as clock:
        loop()
    assert clock.seen >= looks
    for last in (1, clock.seen // 2 or 1, clock.seen):
        with ending_at(last) as again, pytest.raises(OutOfTime):
            loop()
        assert again.seen == last


def test_what_is_left_is_never_more_than_was_asked_for() -> None:
    assert left(5.0) == 5.0
    with until(Deadline(10.0, lambda: 7.0)):
        assert (left(5.0), left(2.0)) == (3.0, 2.0)


def test_a_clock_is_looked_at_seldom_where_steps_are_cheap() -> None:
    """An evaluation has one number to watch; the clock costs it nothing until much was done."""
    with ending_at(float("inf")) as clock:
        evaluated("(1 | 2 | 3).where($this > 1).select($this + 1).count()")
    assert clock.seen == 0
