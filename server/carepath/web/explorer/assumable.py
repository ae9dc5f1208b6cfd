"""Which facts of a plan can be supposed to be otherwise, and which values they may have.

The values are those that the Library has words for and those that the content compares with.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from carepath.apply import ApplyRequest
from carepath.apply.compile.actions import all_actions
from carepath.apply.compile.compiled import CompiledPlan
from carepath.apply.compile.compiler import Compiler
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Fact
from carepath.apply.compile.possible_values import possible_values
from carepath.errors import InvalidParameter
from carepath.knowledge import Knowledge

PREFIX = "assume."
"""What the fields of the form begin with."""
UNKNOWN = "?"
_MOST_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Assumable:
    """A fact with the values to choose from, each with its words; a number may be any."""

    name: str
    label: str
    recording: str
    values: tuple[tuple[str, Any, str], ...]
    """As the form sends it, as the fact has it, and in words."""
    is_number: bool

    def read(self, text: str) -> list[Any]:
        """Return the values that a field means; raises InvalidParameter."""
        if text == UNKNOWN:
            return []
        for sent, value, _ in self.values:
            if sent == text:
                return [value]
        if self.is_number:
            number = _number(text)
            if number is not None:
                return [number]
        expected = "a number" if self.is_number else ", ".join(f"`{v[0]}`" for v in self.values)
        raise InvalidParameter(f"{PREFIX}{self.name}", text, f"{expected}, or `{UNKNOWN}`")


def _number(text: str) -> int | Decimal | None:
    """Return the number that a text is, None where it is none or has too many digits.

    To write out a number such as 1e99999999 takes all time and memory, and nobody can stop it.
    """
    try:
        number = Decimal(text) if len(text) <= _MOST_DIGITS else Decimal("NaN")
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return None
    return int(number) if number == int(number) else number


class Assumables:
    """The facts of the plans of one Knowledge, looked for once for each plan."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._found: dict[int, dict[str, Assumable]] = {}

    def of(self, request: ApplyRequest) -> Mapping[str, Assumable]:
        """Return the facts that the plan of a request can read, by name."""
        found = self._found.get(id(request.definition))
        if found is None:
            compiler = Compiler(self._knowledge, request.settings, request.language)
            plan = compiler.plan(request.definition)
            made = {one.name: one for one in _assumables(plan)}
            found = self._found[id(request.definition)] = made
        return found


def assumed_in(fields: Mapping[str, str], known: Mapping[str, Assumable]) -> dict[str, list[Any]]:
    """Return what a form supposes, by the name of the fact; raises InvalidParameter."""
    found = {}
    for field, text in fields.items():
        if field.startswith(PREFIX) and text.strip():
            name = field.removeprefix(PREFIX)
            if name not in known:
                raise InvalidParameter(field, text, "a fact of the pathway")
            found[name] = known[name].read(text.strip())
    return found


def _assumables(plan: CompiledPlan) -> Iterator[Assumable]:
    conditions = list(_conditions(plan, set()))
    for fact in _facts(plan, set()).values():
        readers = fact.home.readers.get(fact.name, frozenset())
        entries = (fact.home.entries[name] for name in readers)
        formulas = [entry.formula for entry in entries if isinstance(entry, Fact)]
        formulas += [formula for formula in conditions if fact.name in formula.variables]
        yield _assumable(fact, formulas)


def _assumable(fact: Fact, formulas: Iterable[Formula]) -> Assumable:
    possible = possible_values(fact, formulas)
    if fact.texts:  # Then these are all values that it may have.
        possible = tuple(value for value in possible if str(value) in fact.texts)
    is_number = not fact.texts and any(
        isinstance(v, int | Decimal) and not isinstance(v, bool) for v in possible
    )
    values = () if is_number else tuple(_values(fact, possible))
    return Assumable(fact.name, fact.words, fact.recording, values, is_number)


def _values(fact: Fact, possible: Iterable[Any]) -> Iterator[tuple[str, Any, str]]:
    """Yield each value once; one that reads as a number is meant as one."""
    seen: set[str] = set()
    for value in possible:
        sent = str(value).lower() if isinstance(value, bool) else str(value)
        if sent not in seen:
            seen.add(sent)
            words = {True: "yes", False: "no"}[value] if isinstance(value, bool) else ""
            yield sent, value, words or fact.text_of(value)


def _plans(plan: CompiledPlan, seen: set[int]) -> Iterator[CompiledPlan]:
    """Yield a plan and those that it leads to, each once."""
    if id(plan) not in seen:
        seen.add(id(plan))
        yield plan
        for action in all_actions(plan.actions):
            if action.plan is not None:
                yield from _plans(action.plan, seen)


def _conditions(plan: CompiledPlan, seen: set[int]) -> Iterator[Formula]:
    for one in _plans(plan, seen):
        for action in all_actions(one.actions):
            yield from action.conditions


def _facts(plan: CompiledPlan, seen: set[int]) -> dict[str, Fact]:
    """Return the facts with a public name; where Libraries share one, the first counts."""
    found: dict[str, Fact] = {}
    for one in _plans(plan, seen):
        for entry in one.names.entries.values():
            if isinstance(entry, Fact) and not entry.is_auxiliary:
                found.setdefault(entry.name, entry)
    return found
