"""The facts that single a step out, with their values and the day that they are of.

A fact that decides most of what is on the page ("confirmed") tells nothing beside a single step;
the line about the patient says it once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from carepath.apply.explain.because import facts_told, shown, told_above
from carepath.apply.page.sheet import Told
from carepath.apply.run.evidence import evidence_of_fact
from carepath.apply.run.scope import FactValue
from carepath.apply.run.step import Step
from carepath.deadline import paced
from carepath.record.when import time_of

_MOST_REASONS = 3
_FEW = 2
_MANY = 10_000
"""What decides no more steps than this always singles them out."""
_UNDATED = ("Condition", "Patient")
_RARE, _MOST = 0.33, 0.6
"""The share of the steps that a fact may be behind to single them out; and, where nothing else
does, that it may be behind at all."""


class Reasons:
    """Tells what singles out each of some steps."""

    def __init__(self, steps: Iterable[Step]) -> None:
        counts: Counter[str] = Counter()
        number = 0
        for step in paced(steps):
            number += 1
            counts.update({*facts_told(step), *told_above(step)})
        self._counts = counts
        self._rare = max(_FEW, number * _RARE)
        self._most = max(_FEW, number * _MOST)

    def rarity(self, step: Step) -> int:
        """Return behind how many steps the rarest fact is that singles one out; many for none."""
        told = facts_told(step)
        counts = [self._counts[n] for n, value in told.items() if self._is_telling(n, value)]
        rare = [count for count in counts if count <= self._rare]
        return min(rare, default=_MANY)

    def of(self, step: Step) -> tuple[Told, ...]:
        """Return the facts that are behind few steps, the rarest first; of a group if need be."""
        level: Step | None = step
        while level is not None:
            names = [n for n, value in facts_told(level).items() if self._is_telling(n, value)]
            rare = [name for name in names if self._counts[name] <= self._rare]
            if names:
                return self._telling(rare or names[:1], level)
            level = level.reason
        return ()

    def _is_telling(self, name: str, value: FactValue) -> bool:
        """Tell whether a fact has a name, is not behind most steps, and says what was found."""
        if value.fact.is_auxiliary and not value.fact.label:
            return False
        is_found = not is_negative(value) or bool(date_of(value, evidence_of_fact(value)))
        return is_found and self._counts[name] <= self._most

    def _telling(self, names: Sequence[str], step: Step) -> tuple[Told, ...]:
        """Return the facts that tell most, the rarest first."""
        told = facts_told(step)
        chosen = sorted(names, key=lambda name: self._counts[name])
        return tuple(told_of(told[name]) for name in chosen[:_MOST_REASONS])


def is_negative(value: FactValue) -> bool:
    """Tell whether a fact says no, or that there is none of what it counts."""
    values = [item[0] for item in value.known.items]
    return len(values) == 1 and (values[0] is False or values[0] == "none")


def told_of(value: FactValue) -> Told:
    """Return a fact with its value, its evidence, and the day of that."""
    evidence = evidence_of_fact(value)
    date = "assumed" if value.is_assumed else date_of(value, evidence)
    return Told(value.fact.words, shown(value), True, date, evidence)


def date_of(value: FactValue, evidence: tuple[str, ...]) -> str:
    """Return the day of the only finding or deed that a fact rests on, as the sender wrote it.

    A diagnosis and a Patient tell of no day on which something was found.
    """
    if len(evidence) != 1:
        return ""
    resource = value.scope.session.record.cited(evidence[0])
    if resource is None or resource["resourceType"] in _UNDATED:
        return ""
    return str((time_of(resource) or {}).get("start", ""))[: len("2026-11-27")]
