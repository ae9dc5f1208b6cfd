"""`apply_many` in Python, and what of an application gets into another process."""

import os
import pickle
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lines import of_patient

import carepath
from carepath.apply import ApplyRequest, ApplySettings, apply_plan
from carepath.errors import CarepathError, InvalidParameter, InvalidResource, MalformedInput
from carepath.knowledge import Knowledge, KnowledgeWithSent
from carepath.record import Record

NOW = datetime(2026, 11, 1, tzinfo=UTC)
NAMES = [f"p{number}" for number in range(6)]
TWO_OF_ONE_NAME = [
    {"resourceType": "Patient", "id": "a", "gender": "female"},
    {"resourceType": "Patient", "id": "a", "gender": "male"},
]


def plans(records: Any, **more: Any) -> list[Any]:
    return [a.care_plan() for a in carepath.apply_many(records, "mst-pathway", now=NOW, **more)]


def test_the_results_are_those_of_one_after_the_other() -> None:
    records = [of_patient(name) for name in NAMES]
    knowledge = Knowledge.shipped()
    plan = knowledge.plan("mst-pathway")
    alone = [apply_plan(ApplyRequest(plan, Record.of(r), NOW), knowledge) for r in records]
    expected = [one.care_plan() for one in alone]
    assert plans(records) == expected
    there = list(carepath.apply_many(iter(records), now=NOW, workers=2))
    assert [one.care_plan() for one in there] == expected
    assert [one.decisions for one in there] == [one.decisions for one in alone]
    assert [one.issues for one in there] == [one.issues for one in alone]
    # What was not sent along is worked out here.
    assert [one.bundle() for one in there] == [one.bundle() for one in alone]
    assert pickle.loads(pickle.dumps(there[0])).page() == alone[0].page()  # noqa: S301


def test_every_patient_of_a_record_gets_every_plan() -> None:
    both = [*of_patient("a"), *of_patient("b")]
    found = list(carepath.apply_many([both], ["mst-pathway", "mst-mdt"], now=NOW))
    told = [(one.care_plan()["subject"]["reference"], one.plan.rpartition("/")[2]) for one in found]
    assert told == [
        ("Patient/a", "mst-pathway|0.1.0"),
        ("Patient/a", "mst-mdt|0.1.0"),
        ("Patient/b", "mst-pathway|0.1.0"),
        ("Patient/b", "mst-mdt|0.1.0"),
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_ends_all_unless_somebody_is_told(workers: int) -> None:
    records: list[Any] = [of_patient("a"), TWO_OF_ONE_NAME, [], of_patient("b")]
    with pytest.raises(InvalidResource):
        plans(records, workers=workers)
    told: list[tuple[Any, str]] = []
    made = plans(records, workers=workers, on_error=lambda r, e: told.append((r, type(e).__name__)))
    assert [one["subject"]["reference"] for one in made] == ["Patient/a", "Patient/b"]
    assert told == [(TWO_OF_ONE_NAME, "InvalidResource"), ([], "InvalidParameter")]


@pytest.mark.slow
def test_a_process_that_is_killed_costs_nothing() -> None:
    records = [of_patient(name) for name in NAMES * 4]
    found = carepath.apply_many(records, "mst-pathway", now=NOW, workers=2)
    first = next(found)
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text("utf-8").split()
    for child in children:
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(int(child), signal.SIGKILL)
    assert [one.care_plan() for one in (first, *found)] == plans(records)


ODD = {"resourceType": "Library", "id": "x", "url": "http://x/y", "version": "1"}


def test_knowledge_pickles_by_what_it_was_made_of() -> None:
    shipped = Knowledge.shipped()
    more = shipped.with_definitions([ODD])
    alone = Knowledge.of([ODD])
    sent = KnowledgeWithSent(shipped, [ODD])
    assert copy(shipped) is shipped
    assert len(pickle.dumps(more)) < 1000
    assert copy(more) is copy(more)
    assert copy(alone) is copy(alone)
    for one in (more, alone, sent):
        made = copy(one)
        assert (made.fingerprint, made.all("Library")) == (one.fingerprint, one.all("Library"))
        assert made.resolve("http://x/y|1") == ODD
    assert len({one.fingerprint for one in (shipped, more, alone, sent)}) == 4


def test_what_cannot_be_made_again_is_refused() -> None:
    odd = ApplySettings(languages={})
    with pytest.raises(pickle.PicklingError, match="expression languages of their own"):
        pickle.dumps(odd)
    with pytest.raises(pickle.PicklingError, match="iterator"):
        pickle.dumps(Record.of(iter(of_patient("a"))))
    assert copy(ApplySettings("active", False)) == ApplySettings("active", False)


def test_a_record_pickles_with_its_view() -> None:
    both = Record.of([*of_patient("a"), *of_patient("b")])
    for view in (both, both.for_subject("Patient/b"), both.for_subject("Patient/b").as_of(NOW)):
        made = copy(view)
        assert (made.subject, made.subjects) == (view.subject, view.subjects)
        assert made.resources("Condition") == view.resources("Condition")


@pytest.mark.parametrize(
    "error", [InvalidParameter("a", None, expected="b"), MalformedInput(reason="c", where="d")]
)
def test_an_error_pickles_whichever_way_it_was_made(error: CarepathError) -> None:
    made = copy(error)
    assert (type(made), str(made), vars(made)) == (type(error), str(error), vars(error))


def copy(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own
