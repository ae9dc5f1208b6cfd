"""Where each step of an application stands on the page.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.selectionBehavior and
https://hl7.org/fhir/R4/valueset-communication-category.html

Nothing here knows a pathway: a warning is a CommunicationRequest of the category `alert`, a leaflet
one whose recipient is the patient, a visit what is to be done in a stretch of time that has not
ended, with what stands in one group with its appointment.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from carepath.apply.run.step import MET, UNDETERMINED, Step
from carepath.record.patients import as_list
from carepath.resources import Resource, codings

PRIORITIES = ("stat", "asap", "urgent", "routine", "")
_FEWEST_OPTIONS = 2
_DAY = len("2026-11-27")
_RANKS = {name: rank for rank, name in enumerate(PRIORITIES)}


class Placed(NamedTuple):
    """One step, the groups around it from the inside out, and the part of the page for it."""

    step: Step
    around: tuple[Step, ...]
    part: str
    group: Step | None
    """The group of which the reader chooses, for an option."""
    days: tuple[str, str] = ("", "")
    """The first and the last day of the visit that it belongs to."""

    @property
    def priority(self) -> str:
        """Return the priority of the step, else that of its request or the nearest group."""
        return _first(self._levels("priority")) or str((self.step.made or {}).get("priority", ""))

    @property
    def behavior(self) -> str:
        """Return whether the step must be taken, as it or the nearest group says."""
        return _first(self._levels("requiredBehavior"))

    @property
    def rank(self) -> tuple[int, int]:
        """Return what puts the step before others: urgency, then must, then could."""
        behavior = self.behavior
        must = 0 if behavior.startswith("must") else 2 if behavior == "could" else 1
        return _RANKS.get(self.priority or "routine", len(_RANKS)), must

    def _levels(self, name: str) -> Iterator[str]:
        for level in (self.step, *self.around):
            yield str((level.result or {}).get(name) or "")


def placed(steps: Sequence[Step], subject: Resource, today: str) -> list[Placed]:
    """Return the steps that apply and are seen, and options that wait, in plan order.

    `subject` is the Reference to the patient, `today` a date.
    """
    asking = {s.action.joined_as for s in steps if s.action.reads_gaps} - {""}
    part_of = _Parts(subject, today, asking)
    found = []
    for step, around in _with_groups(steps):
        group = next((level for level in around if level.action.offers_options), None)
        if _is_seen(step):
            part = part_of(step)
            is_option = part == "step" and group is not None and group.outcome == MET
            days = _days(step) if part == "visit" else ("", "")
            found.append(Placed(step, around, "option" if is_option else part, group, days))
        elif group is not None and group.outcome == MET and _waits(step):
            found.append(Placed(step, around, "waiting", group))
    return _without_lone_options(_with_companions(found))


def _with_groups(steps: Sequence[Step]) -> Iterator[tuple[Step, tuple[Step, ...]]]:
    """Yield each step with the groups around it, the innermost first."""
    open_: list[Step] = []
    for step in steps:
        del open_[step.depth :]
        yield step, tuple(reversed(open_))
        open_.append(step)


def _is_seen(step: Step) -> bool:
    """Tell whether a step proposes something itself; a group only holds what does."""
    return step.outcome == MET and (step.action.is_leaf or step.request is not None)


def _waits(step: Step) -> bool:
    is_whole = step.action.is_leaf or step.action.activity is not None
    return step.outcome == UNDETERMINED and is_whole and bool(step.missing)


class _Parts:
    """Tells which part of the page a step belongs to."""

    def __init__(self, subject: Resource, today: str, asking: set[str]) -> None:
        self._tests: tuple[tuple[str, Callable[[Step, Resource], bool]], ...] = (
            ("against", lambda step, _: step.action.direction == "against"),
            ("question", lambda step, _: _asks(step, asking)),
            ("alert", lambda _, made: _is_alert(made)),
            ("leaflet", lambda _, made: _is_leaflet(made, subject)),
            ("visit", lambda step, _: _is_dated(step, today)),
        )

    def __call__(self, step: Step) -> str:
        made = step.made or {}
        return next((part for part, test in self._tests if test(step, made)), "step")


def _days(step: Step) -> tuple[str, str]:
    start, end = due(step.made or {})
    return start[:_DAY], end[:_DAY]


def _is_dated(step: Step, today: str) -> bool:
    """Tell whether a step is to be done in a stretch of time that has not ended, or later."""
    start, end = _days(step)
    return start > today or (start < end and end >= today)


def _with_companions(found: list[Placed]) -> list[Placed]:
    """Return the same with what stands beside an appointment in a group made part of its visit."""
    days = {
        one.around[0].path: one.days
        for one in found
        if one.part == "visit" and one.step.request == "Appointment" and one.around
    }
    return [
        one._replace(part="visit", days=days[one.around[0].path])
        if one.part == "step" and one.around and one.around[0].path in days
        else one
        for one in found
    ]


def _asks(step: Step, asking: set[str]) -> bool:
    """Tell whether a step asks for data: by itself, or in one request with others that do."""
    return step.action.reads_gaps or step.action.joined_as in asking


def _is_alert(made: Resource) -> bool:
    if made.get("resourceType") != "CommunicationRequest":
        return False
    return any(c.get("code") == "alert" for kind in made.get("category", ()) for c in codings(kind))


def _is_leaflet(made: Resource, subject: Resource) -> bool:
    is_message = made.get("resourceType") == "CommunicationRequest"
    return is_message and subject in as_list(made.get("recipient"))


_PERIODS = ("occurrencePeriod", "executionPeriod")
_MOMENTS = ("occurrenceDateTime", "start")


def due(made: Resource) -> tuple[str, str]:
    """Return the first and the last day of a request, each empty when none is named."""
    periods: list[Any] = [made[name] for name in _PERIODS if name in made]
    periods += as_list(made.get("requestedPeriod"))
    periods.append((made.get("restriction") or {}).get("period"))
    timing = made.get("occurrenceTiming") or {}
    periods.append((timing.get("repeat") or {}).get("boundsPeriod"))
    for period in periods:
        if isinstance(period, dict):
            return str(period.get("start") or ""), str(period.get("end") or "")
    moments = [made[name] for name in _MOMENTS if name in made] + as_list(timing.get("event"))
    return (str(moments[0]), str(moments[0])) if moments else ("", "")


def _without_lone_options(found: list[Placed]) -> list[Placed]:
    """Return the same with options that stand alone as plain steps: there is nothing to choose."""
    sizes: dict[int, int] = {}
    open_: set[int] = set()
    for one in found:
        if one.part in ("option", "waiting"):
            sizes[id(one.group)] = sizes.get(id(one.group), 0) + 1
            if one.part == "option":
                open_.add(id(one.group))
    kept = []
    for one in found:
        alone = sizes.get(id(one.group), 0) < _FEWEST_OPTIONS or id(one.group) not in open_
        if one.part == "option" and alone:
            kept.append(one._replace(part="step", group=None))
        elif not (one.part == "waiting" and alone):
            kept.append(one)
    return kept


def _first(values: Iterator[str]) -> str:
    return next(filter(None, values), "")
