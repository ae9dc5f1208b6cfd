"""Whose a line is, and what becomes of the lines about one patient."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lines import NOW, applied, export, of_patient, read, written

from carepath.knowledge import Knowledge
from carepath.population import one_patient, part_work
from carepath.population.lines_of_patient import data_of
from carepath.population.one_patient import How, answer
from carepath.population.output import CAREPLANS, ERRORS, ROWS, result_file
from carepath.population.ownership import Owners, head_of, owners
from carepath.population.part_work import Job, do_part
from carepath.population.partition import Part, Parts, SourceLine, order, part_file
from carepath.population.run import Order, run
from carepath.validation import record_of

CASES = json.loads((Path(__file__).parent / "owners.json").read_text("utf-8"))
HOW = How(plans=("mst-pathway",), now=NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["about"])
def test_whose_a_line_is(case: dict[str, Any]) -> None:
    head = head_of(json.dumps(case["line"]).encode())
    assert head is not None
    assert owners(head, case.get("base", "")) == Owners(
        tuple(case["keys"]),
        case.get("reason", ""),
        is_shared=case.get("is_shared", False),
        hides=case.get("hides", False),
    )


def lines_of(name: str) -> list[SourceLine]:
    return [
        SourceLine("all.ndjson", number, json.dumps(resource).encode())
        for number, resource in enumerate(of_patient(name), start=1)
    ]


def told(errors: tuple[bytes, ...]) -> list[tuple[Any, ...]]:
    found = map(json.loads, errors)
    return [
        (e["patient"], e.get("file"), e.get("line"), i["code"], i["diagnostics"])
        for e in found
        for i in e["outcome"]["issue"]
    ]


def test_one_patient_is_the_same_whatever_the_order_of_the_lines() -> None:
    lines = lines_of("a")
    made = answer("Patient/a", lines, HOW, Knowledge.shipped())
    assert made == answer("Patient/a", lines[::-1], HOW, Knowledge.shipped())
    (plan,) = map(json.loads, made.careplans)
    assert plan["subject"] == {"reference": "Patient/a"}
    assert f"urn:uuid:{plan['id']}" == plan["identifier"][0]["value"]
    assert {row["patient"] for row in made.rows} == {"Patient/a"}
    assert made.errors == ()


def test_a_transaction_is_made_on_request() -> None:
    made = answer("Patient/a", lines_of("a"), replace(HOW, form="transaction"), Knowledge.shipped())
    (bundle,) = map(json.loads, made.careplans)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")


@pytest.mark.parametrize(
    ("how", "code", "text"),
    [
        (
            {"seconds": 0.0},
            "timeout",
            "Applying the plans to `Patient/a` takes longer than 0 seconds.",
        ),
        ({"max_bytes": 99}, "too-costly", "bytes, more than 99."),
        ({"plans": ("no-plan",)}, "not-found", "with id or canonical `no-plan` was not found."),
    ],
)
def test_what_cannot_be_applied_is_told(how: dict[str, Any], code: str, text: str) -> None:
    made = answer("Patient/a", lines_of("a"), replace(HOW, **how), Knowledge.shipped())
    ((patient, *_, found, sentence),) = told(made.errors)
    assert (patient, found, sentence.endswith(text)) == ("Patient/a", code, True), sentence
    assert (made.careplans, made.rows) == ((), ())


def test_a_fault_of_ours_costs_one_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_patient, "rows", lambda patient, applied: {}[patient])
    made = answer("Patient/a", lines_of("a"), HOW, Knowledge.shipped())
    text = "`Patient/a` met a fault of this program (KeyError); please report it."
    assert told(made.errors) == [("Patient/a", "all.ndjson", 1, "exception", text)]


def test_parts_hold_what_was_put_there(tmp_path: Path) -> None:
    names = [f"Patient/{number}" for number in range(200)]
    with Parts(tmp_path, 8) as parts:
        for number in (0, 1):
            for name in names:
                parts.add(name, number, 7, f"{name}-{number}".encode())
    found: list[str] = []
    for number in range(8):
        with Part(part_file(tmp_path, number), (("x", ""), ("y", "b"))) as part:
            found += [patient.key for patient in part.patients]
            for patient in part.patients:
                assert list(part.lines(patient)) == [
                    SourceLine("x", 7, f"{patient.key}-0".encode()),
                    SourceLine("y", 7, f"{patient.key}-1".encode(), "b"),
                ]
    assert found == sorted(names, key=order)


def test_the_number_of_parts_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = export(tmp_path / "in", ["a", "b", "c", "d", "e"])
    found = []
    for count in (1, 3, 16):
        monkeypatch.setattr("lines.PARTS", count)
        found.append(applied(source, tmp_path / str(count)))
    assert found[0] == found[1] == found[2]
    assert len(found[0][0]) == 5


def test_what_is_shared_comes_along(tmp_path: Path) -> None:
    """A Medication of a file of its own is as good as one in the Bundle of the patient."""
    taken = {
        "resourceType": "MedicationStatement",
        "id": "m",
        "status": "active",
        "subject": {"reference": "Patient/a"},
        "medicationReference": {"reference": "Medication/x"},
    }
    coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "282388"}
    medication = {"resourceType": "Medication", "id": "x", "code": {"coding": [coding]}}
    others = [{**medication, "id": f"other-{n}"} for n in range(3)]
    files: dict[str, Any] = {"Patient.ndjson": of_patient("a")[:1], "Statement.ndjson": [taken]}
    there = {**files, "Medication.ndjson": [*others, medication]}
    plans = [
        applied(written(tmp_path / name / "in", given), tmp_path / name / "work")[0]
        for name, given in (("without", files), ("with", there))
    ]
    bundle = [{"resource": r} for r in (*of_patient("a")[:1], taken, medication)]
    whole = {"resourceType": "Bundle", "type": "collection", "entry": bundle}
    alone = applied(written(tmp_path / "b" / "in", {"b.json": whole}), tmp_path / "b" / "work")[0]
    assert plans[1] == alone
    assert plans[0] != alone


def test_the_patient_who_kills_workers_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadly(patient: str, *rest: Any) -> Any:
        if patient == "Patient/p3":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer(patient, *rest)

    monkeypatch.setattr(part_work, "answer", deadly)
    names = [f"p{number}" for number in range(6)]
    source, out = export(tmp_path / "in", names), tmp_path / "out"
    state = run(
        Order(source, out, HOW, workers=2, start="fork", decisions="none"), Knowledge.shipped()
    )
    assert (state.patients, state.errors) == (6, 1)
    plans = [plan["subject"]["reference"] for plan in read(out / "careplans.ndjson")]
    assert plans == sorted((f"Patient/{n}" for n in names if n != "p3"), key=order)
    (error,) = read(out / "errors.ndjson")
    assert error["patient"] == "Patient/p3"
    assert "was ended from outside, twice" in error["outcome"]["issue"][0]["diagnostics"]


def test_a_part_is_written_whole(tmp_path: Path) -> None:
    """What ends the work on a part leaves nothing under a name that counts."""
    with Parts(tmp_path, 1) as parts:
        for number, line in enumerate(lines_of("a")):
            parts.add("Patient/a", 0, number, line.data)
    job = Job(tmp_path, (("x", ""),), HOW)

    def begin(index: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        do_part(job, Knowledge.shipped(), 0, begin=begin)
    assert [path.name for path in tmp_path.iterdir()] == ["0000.part"]
    assert do_part(job, Knowledge.shipped(), 0) == 1
    assert not part_file(tmp_path, 0).exists()
    assert all(result_file(tmp_path, 0, kind).exists() for kind in (CAREPLANS, ROWS, ERRORS))


BROKEN = {
    "bytes that are no UTF-8": (b'"div":"x"', b'"div":"\xff"'),
    "a key that stands twice": (b'"status":', b'"status":"generated","status":'),
    "a nesting without end": (b'"div":"x"', b'"div":' + b"[" * 100_000 + b"]" * 100_000),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_line_that_only_looks_like_json_is_unread(case: str, tmp_path: Path) -> None:
    """A look at a few elements takes these for sound; what reads all of them does not."""
    text = {"status": "generated", "div": "x"}
    condition = next(r for r in of_patient("a") if r["resourceType"] == "Condition")
    lines = [json.dumps(r, separators=(",", ":")) for r in ({**condition, "text": text},)]
    data = lines[0].encode().replace(*BROKEN[case], 1)
    source = written(tmp_path / "in", {"Patient.ndjson": of_patient("a")[:1]})
    (source / "Condition.ndjson").write_bytes(data)
    (plan,), errors, remarks = applied(source, tmp_path / "work")
    outcome = next(r for r in plan["contained"] if r["resourceType"] == "OperationOutcome")
    expected = "`Condition` was not used: it is no JSON (`Condition.ndjson`, line 1)."
    assert expected in [issue["diagnostics"] for issue in outcome["issue"]]
    assert remarks == ()
    assert len(errors) <= 1


def test_a_patient_whose_line_is_broken_gets_no_plan(tmp_path: Path) -> None:
    patient = json.dumps({**of_patient("a")[0], "text": {"div": "x"}}).encode()
    source = written(tmp_path / "in", {"other.ndjson": of_patient("a")[1:]})
    (source / "Patient.ndjson").write_bytes(patient.replace(b'"x"', b'"\xff"'))
    plans, (error,), _ = applied(source, tmp_path / "work")
    text = "The line of `Patient/a` cannot be read (`Patient.ndjson`, line 1)."
    assert plans == []
    assert error["outcome"]["issue"][0]["diagnostics"] == text


def test_a_patient_may_be_named_by_a_urn_and_by_type_and_id() -> None:
    name = "6f1e4c8a-0000-4000-8000-00000000000a"
    resources: list[dict[str, Any]] = [{"resourceType": "Patient", "id": name}]
    for number, reference in enumerate((f"urn:uuid:{name}", f"Patient/{name}")):
        about = {"resourceType": "Condition", "id": str(number), "code": {"text": "a lump"}}
        resources.append({**about, "subject": {"reference": reference}})
    lines = [SourceLine("x", n, json.dumps(r).encode()) for n, r in enumerate(resources)]
    record = record_of(*data_of(f"Patient/{name}", lines))
    assert [one["id"] for one in record.resources("Condition")] == ["0", "1"]
    assert record.remarks() == ()
    assert record.reference_to(record.resources("Patient")[0]) == f"Patient/{name}"
