"""Everything that can notice a change of the content: fact cases, plan cases and record cases.

A plan case is a witness by itself; what the other forms work out is noted while they run.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest import MonkeyPatch

from carepath.apply.compile.names import Fact
from carepath.apply.run.scope import Scope
from carepath.authoring.cases import read_cases
from carepath.authoring.fact_cases import FactCase, fact_differences, read_fact_cases
from carepath.authoring.mutate import FactKey, Seen, Witness, key_of, witness_of
from carepath.knowledge import Knowledge
from records.comparing import differences as record_differences
from records.reading import RecordCase, fact_names, read_record_cases
from records.run import answer_to
from records.run import with_questions as with_questions_of

TESTS = Path(__file__).parents[1] / "tests"


def with_questions(knowledge: Knowledge) -> Knowledge:
    """Return the content together with the plan that the record cases apply."""
    return with_questions_of(knowledge, read_record_cases())


def witnesses(knowledge: Knowledge) -> Iterator[Witness]:
    """Yield all cases, the cheap ones first; `knowledge` is the content before any change."""
    for fact_case in read_fact_cases(TESTS / "facts" / "cases"):
        yield _of_fact_case(fact_case, knowledge)
    for case in read_cases(TESTS / "cases"):
        yield witness_of(case, knowledge)
    for record_case in read_record_cases():
        if not record_case.is_unclear:
            yield _of_record(record_case, knowledge)


def _of_fact_case(case: FactCase, knowledge: Knowledge) -> Witness:
    def says(content: Knowledge) -> list[str]:
        return fact_differences(case, content)

    with _noting() as seen:
        wrong = says(knowledge)
    return Witness(case.name, 0, says, frozenset(case.facts), seen, tuple(wrong))


def _of_record(case: RecordCase, knowledge: Knowledge) -> Witness:
    def says(content: Knowledge) -> list[str]:
        return record_differences(answer_to(case, content), case.expect)

    with _noting() as seen:
        wrong = says(knowledge)
    named = frozenset(fact_names(case.expect))
    return Witness(case.name, 2, says, named, seen, tuple(wrong))


@contextmanager
def _noting() -> Iterator[Mapping[FactKey, Sequence[Seen]]]:
    """Note each fact that is worked out meanwhile, and keep what it was worked out in."""
    found: dict[FactKey, list[Seen]] = {}
    work_out = Scope._work_out

    def noted(self: Scope, fact: Fact) -> Any:
        known = work_out(self, fact)
        found[key_of(fact)] = [Seen(known, self, self.session)]
        return known

    with MonkeyPatch.context() as patch:
        patch.setattr(Scope, "_work_out", noted)
        yield found
