"""How many patients are where on a pathway: sums that can be added in any order.

A patient counts once for each plan that was applied, and once for each fact that keeps any action
of a plan open, however many actions that are.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from carepath.apply.run.step import UNDETERMINED

Row = Mapping[str, Any]
Key = tuple[str, str]
"""A plan, and an action, a phase or a fact of it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What stands in many rows, as numbers; `errors` are what could not be used of the input."""

    patients: int = 0
    errors: int = 0
    plans: Mapping[str, int] = field(default_factory=dict)
    """To how many patients each plan was applied."""
    phases: Mapping[Key, int] = field(default_factory=dict)
    """How many patients are in each phase of care; those in none have the empty name."""
    outcomes: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """For how many patients each action of each plan has each outcome."""
    titles: Mapping[Key, str] = field(default_factory=dict)
    """What each action is called; the first by the alphabet where that differs."""
    places: Mapping[Key, int] = field(default_factory=dict)
    """How early each action has stood among the actions of one patient."""
    blocked: Mapping[Key, int] = field(default_factory=dict)
    """For how many patients each missing fact keeps an action open."""
    open_actions: Mapping[Key, int] = field(default_factory=dict)
    """How many actions each missing fact keeps open, those of all patients together."""

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Counts":
        """Return the numbers of rows in which those of one patient stand together."""
        tally = Tally()
        for _, found in groupby(rows, key=itemgetter("patient")):
            tally.add(found)
        return tally.counts()

    def __add__(self, other: "Counts") -> "Counts":
        """Return the numbers of both, as if all had been counted together."""
        return Counts(
            self.patients + other.patients,
            self.errors + other.errors,
            _sum(self.plans, other.plans),
            _sum(self.phases, other.phases),
            _sum(self.outcomes, other.outcomes),
            _least(self.titles, other.titles),
            _least(self.places, other.places),
            _sum(self.blocked, other.blocked),
            _sum(self.open_actions, other.open_actions),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as JSON: the keys of each mapping as lists, in their order."""
        made: dict[str, Any] = {"patients": self.patients, "errors": self.errors}
        made["plans"] = dict(sorted(self.plans.items()))
        for name in _MAPPINGS:
            made[name] = [[*key, value] for key, value in sorted(getattr(self, name).items())]
        return made

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Counts":
        """Return the numbers that `to_json` gave."""
        numbers = (given["patients"], given["errors"], dict(given["plans"]))
        found = ({tuple(key): value for *key, value in given[n]} for n in _MAPPINGS)
        return cls(*numbers, *found)


_MAPPINGS = ("phases", "outcomes", "titles", "places", "blocked", "open_actions")
"""The fields with keys of several parts, in the order of the class."""


class Tally:
    """Counts in the making: one patient after another, without a sum of all for each."""

    def __init__(self) -> None:
        self._patients = 0
        self._errors = 0
        self._plans: Counter[str] = Counter()
        self._phases: Counter[Key] = Counter()
        self._outcomes: Counter[tuple[str, str, str]] = Counter()
        self._titles: dict[Key, str] = {}
        self._places: dict[Key, int] = {}
        self._blocked: Counter[Key] = Counter()
        self._open: Counter[Key] = Counter()

    def add(self, rows: Iterable[Row], errors: int = 0) -> None:
        """Count one patient: the rows of all plans, and how many errors there were."""
        self._patients += 1
        self._errors += errors
        found = list(rows)
        self._plans.update({row["plan"] for row in found})
        self._phases.update({(row["plan"], row["phase"]) for row in found})
        self._outcomes.update([(row["plan"], row["action"], row["outcome"]) for row in found])
        missing = [(row["plan"], m) for row in found for m in _missing(row)]
        self._open.update(missing)
        self._blocked.update(set(missing))
        self._name(found)

    def _name(self, rows: list[Row]) -> None:
        """Keep what actions are called and how early they stand."""
        place, plan = 0, None
        for row in rows:
            place = place + 1 if row["plan"] == plan else 0
            plan = row["plan"]
            key = (plan, row["action"])
            if self._places.get(key, place) >= place:
                self._places[key] = place
            if self._titles.get(key) != row["title"]:
                self._titles[key] = min(self._titles.get(key, row["title"]), row["title"])

    def counts(self) -> Counts:
        """Return what was counted until now."""
        return Counts(
            self._patients,
            self._errors,
            dict(self._plans),
            dict(self._phases),
            dict(self._outcomes),
            dict(self._titles),
            dict(self._places),
            dict(self._blocked),
            dict(self._open),
        )


def _missing(row: Row) -> Iterable[str]:
    """Return the facts that keep an action open, each once."""
    return dict.fromkeys(row["missing"]) if row["outcome"] == UNDETERMINED else ()


def _sum(a: Mapping[Any, int], b: Mapping[Any, int]) -> dict[Any, int]:
    made = dict(a)
    for key, value in b.items():
        made[key] = made.get(key, 0) + value
    return made


def _least(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the smaller of the two values of each key."""
    return {**a, **{key: min(value, a.get(key, value)) for key, value in b.items()}}
