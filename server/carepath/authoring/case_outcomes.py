"""Cases for a reader: what each of them expects, in words, and whether it comes out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carepath.authoring.cases import Case, differences, run_case
from carepath.errors import CarepathError, DefinitionNotFound
from carepath.formats.json import encode
from carepath.knowledge import Knowledge
from carepath.resources import Resource

MOST = 200
"""How many cases of a plan are run for a page; a plan that has more is told so."""


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """A case with what it expects; `wrong` says what comes out otherwise, a sentence each."""

    name: str
    about: str
    expected: tuple[str, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanCases:
    """The cases of a plan, and how many more there are than were run."""

    shown: tuple[CaseOutcome, ...] = ()
    more: int = 0


class CaseOutcomes:
    """The cases that lie with some content, each run when its plan is first asked for."""

    def __init__(self, cases: Iterable[Case], knowledge: Knowledge) -> None:
        """Sort cases by the plan that they are about; one about a plan that is not here is left.

        `carepath check` names it.
        """
        self._knowledge = knowledge
        self._cases: dict[int, list[Case]] = {}
        self._run: dict[int, PlanCases] = {}
        for case in cases:
            try:
                # Definitions live as long as their Knowledge, so that an id stays theirs.
                plan = id(knowledge.plan(case.pathway))
            except DefinitionNotFound:
                continue
            self._cases.setdefault(plan, []).append(case)

    def of(self, plan: Resource) -> PlanCases:
        """Return the cases of a plan in their order, with what comes out."""
        key = id(plan)
        if key not in self._run:
            cases = self._cases.get(key, [])
            shown = tuple(outcome_of(case, self._knowledge) for case in cases[:MOST])
            self._run[key] = PlanCases(shown, len(cases) - len(shown))
        return self._run[key]


def outcome_of(case: Case, knowledge: Knowledge) -> CaseOutcome:
    """Run a case; what cannot be run is a sentence like any other difference."""
    try:
        wrong = tuple(differences(case, run_case(case, knowledge)))
    except CarepathError as error:
        wrong = (str(error),)
    return CaseOutcome(case.name, case.about, tuple(expected_of(case)), wrong)


def expected_of(case: Case) -> Iterator[str]:
    """Yield what a case expects, in words."""
    for part, expected in case.expect.items():
        yield from _PARTS[part](expected)


def _proposed(expected: Sequence[str]) -> Iterator[str]:
    yield f"proposed: {', '.join(expected)}" if expected else "nothing is proposed"


def _undetermined(expected: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if not expected:
        yield "nothing is undetermined"
    for path, missing in expected.items():
        yield f"{path} waits for {', '.join(missing)}" if missing else f"{path} is undetermined"


def _decisions(expected: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name} is {outcome}" for name, outcome in expected.items())


def _facts(expected: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"the fact {name} is {_text(value)}" for name, value in expected.items())


def _issues(expected: Sequence[str]) -> Iterator[str]:
    yield from (f"an issue says: {words}" for words in expected)


def _requests(expected: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from (f"a request has {_text(wanted)}" for wanted in expected)


def _text(value: Any) -> str:
    return encode(value).decode().strip()


_PARTS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "proposed": _proposed,
    "undetermined": _undetermined,
    "decisions": _decisions,
    "facts": _facts,
    "issues": _issues,
    "requests": _requests,
}
