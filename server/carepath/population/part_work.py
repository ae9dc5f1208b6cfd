"""One part of a population: its patients in order, each with an answer, written as one whole.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from carepath.formats.json import encode
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.population.counts import Tally
from carepath.population.distribute import SHARED
from carepath.population.one_patient import How, PatientAnswer, answer, failed, too_large
from carepath.population.output import CAREPLANS, ERRORS, ROWS, beside, result_file, write_counts
from carepath.population.partition import Part, Patient, part_file
from carepath.population.shared import SharedLines


@dataclass(frozen=True, slots=True)
class Job:
    """What all parts have in common; a plain value, which pickles.

    `files` are name and base URL of the files of the input; without `with_shared` no line is
    about nobody in particular.
    """

    work: Path
    files: tuple[tuple[str, str], ...]
    how: How
    with_shared: bool = False


def do_part(
    job: Job,
    knowledge: Knowledge,
    number: int,
    skip: Collection[int] = (),
    begin: Callable[[int], None] = lambda index: None,
) -> int:
    """Write what comes of a part, and return how many patients it has; raises OSError.

    `begin` is told of each patient before the work; those in `skip` get an error for an answer,
    since nobody survived them.
    """
    tally = Tally()
    with ExitStack() as stack:
        part = stack.enter_context(Part(part_file(job.work, number), job.files))
        careplans, rows, errors = (
            stack.enter_context(beside(result_file(job.work, number, kind)))
            for kind in (CAREPLANS, ROWS, ERRORS)
        )
        shared = SharedLines(job.work / SHARED, job.files) if job.with_shared else None
        for made in _answers(job, knowledge, part, shared, skip, begin):
            careplans.writelines(made.careplans)
            rows.writelines(encode(row) + b"\n" for row in made.rows)
            errors.writelines(made.errors)
            tally.add(made.rows, len(made.errors))
        count = len(part.patients)
    write_counts(job.work, number, tally.counts())
    part_file(job.work, number).unlink(missing_ok=True)
    return count


def _answers(
    job: Job,
    knowledge: Knowledge,
    part: Part,
    shared: SharedLines | None,
    skip: Collection[int],
    begin: Callable[[int], None],
) -> Iterator[PatientAnswer]:
    for index, patient in enumerate(part.patients):
        begin(index)
        if index in skip:
            yield _killing(part, patient)
        else:
            yield _answer(job, knowledge, part, patient, shared)


def _answer(
    job: Job, knowledge: Knowledge, part: Part, patient: Patient, shared: SharedLines | None
) -> PatientAnswer:
    if patient.bytes > job.how.max_bytes:
        return too_large(patient.key, patient.bytes, job.how, next(part.lines(patient)))
    lines = list(part.lines(patient))
    if shared is not None and not any(line.is_bundle for line in lines):
        lines += shared.of(lines)
    return answer(patient.key, lines, job.how, knowledge)


def _killing(part: Part, patient: Patient) -> PatientAnswer:
    text = f"The process that worked on `{patient.key}` was ended from outside, twice: the patient "
    text += "may need more memory than there is."
    issue = Issue("error", "exception", text)
    return failed(patient.key, (issue,), (next(part.lines(patient)),))
