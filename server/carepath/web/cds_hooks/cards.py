"""The cards of one call: alerts, next steps and choices of the page, and what to record first.

https://cds-hooks.hl7.org/2.0/#card-attributes

They come in the order of the page, a few at most, and only from the actions that wait for the hook.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from carepath.apply import Applied
from carepath.apply.explain.because import called
from carepath.apply.page.sheet import Choice, Item, Question
from carepath.apply.run.step import MET, UNDETERMINED, Step, evidence_of
from carepath.issues import Issue, operation_outcome
from carepath.resources import Resource
from carepath.web.cds_hooks.details import Details
from carepath.web.cds_hooks.discovery import CdsService, own_hooks
from carepath.web.cds_hooks.draft_orders import about_to_be, names_of
from carepath.web.cds_hooks.markdown import cut
from carepath.web.cds_hooks.request import HookRequest
from carepath.web.cds_hooks.suggestions import Json, Requests, behavior_of, removals, suggestion

MOST = 5
"""Cards of advice in one answer; what is beyond is told in one more."""
_SUMMARY = 139
_LABEL = 60
_INDICATORS = {"stat": "critical", "asap": "warning", "urgent": "warning"}
_REMOVE = "Remove the order"
_RECORD = "Record first"


class Cards:
    """Makes the cards of one call."""

    def __init__(
        self,
        service: CdsService,
        request: HookRequest,
        applied: Applied,
        details: Details,
        reasons: Sequence[Json],
    ) -> None:
        """Take a plan applied for a service; `reasons` are those for overriding a warning."""
        self._applied = applied
        self._details = details
        self._reasons = list(reasons)
        self._steps = {step.path: step for step in applied.steps}
        self._waiting = set(_triggered(applied.steps, service.hook))
        self._seed = "|".join((request.instance, service.id, applied.sheet.plan, request.patient))
        self._requests = Requests(applied, lambda id_: self._uuid(f"request/{id_}"))
        drafts = about_to_be(request) if request.kind.are_drafts else ()
        self._drafts: dict[str, Resource] = {
            name: one.resource for one in drafts for name in names_of(one) if "/" in name
        }
        self._offered: set[str] = set()
        """The paths of steps that a card before offers already."""

    def issues(self) -> list[Issue]:
        """Return what is odd about the data, and about the steps that wait for the hook."""
        elsewhere = self._steps.keys() - self._waiting
        return [
            issue
            for issue in self._applied.issues
            if issue.severity != "information" and elsewhere.isdisjoint(issue.expression)
        ]

    def all(self) -> list[Json]:
        """Return the cards, the most important first."""
        advice = list(self._advice())
        cards, rest = advice[:MOST], advice[MOST:]
        if rest:
            cards.append(self._rest(rest))
        cards += self._failed()
        return [*cards, *self._missing()]

    def _advice(self) -> Iterator[Json]:
        sheet = self._applied.sheet
        for item in self._of_hook(sheet.alerts):
            yield self._alert(item)
        for item in self._of_hook((*sheet.steps, *sheet.further)):
            if item.path not in self._offered:
                yield self._step(item)
        for choice in sheet.choices:
            if any(option.path in self._waiting for option in choice.options):
                yield self._choice(choice)
        for item in self._of_hook(sheet.against):
            yield self._card(item.path, f"{item.kind}: {item.title}", item, "info")

    def _of_hook(self, items: Iterable[Item]) -> Iterator[Item]:
        return (item for item in items if item.path in self._waiting)

    def _alert(self, item: Item) -> Json:
        """Return a warning with the steps of its group, and the orders it warns of to remove."""
        step = self._steps[item.path]
        beside = [(other, self._steps[other.path]) for other in self._beside(item)]
        self._offered |= {other.path for other, _ in beside}
        card = self._card(item.path, item.title, item, _INDICATORS.get(item.priority, "warning"))
        offers = [
            suggestion(other.title, self._uuid(other.path), actions)
            for other, its in beside
            if (actions := self._requests.creation(other, its))
        ]
        removed = removals(self._drafts, self._cited(step), _REMOVE)
        if removed:
            offers.append(suggestion(_REMOVE, self._uuid(f"{item.path}/remove"), removed))
        return _with_suggestions(card, offers, "any") | {"overrideReasons": self._reasons}

    def _beside(self, item: Item) -> Iterator[Item]:
        """Yield the other steps of the group that a warning stands in; a plan is no group."""
        around, _, _ = item.path.rpartition("/")
        group = self._steps.get(around)
        if group is not None and group.action.plan is None:
            for other in (*self._applied.sheet.steps, *self._applied.sheet.further):
                if other.path.rpartition("/")[0] == around:
                    yield other

    def _cited(self, step: Step) -> Iterator[str]:
        """Yield what a step rests on, with what the groups around it rest on."""
        level: Step | None = step
        while level is not None:
            yield from evidence_of(level)
            level = level.reason

    def _step(self, item: Item) -> Json:
        step = self._steps[item.path]
        card = self._card(item.path, item.title, item, _INDICATORS.get(item.priority, "info"))
        actions = self._requests.creation(item, step)
        offer = suggestion(item.title, self._uuid(f"{item.path}/order"), actions)
        return _with_suggestions(card, [offer] if actions else [], "at-most-one")

    def _choice(self, choice: Choice) -> Json:
        open_ = [option for option in choice.options if not option.waits_for]
        place = f"{open_[0].path}/choice"
        urgent = next((option.priority for option in open_ if option.priority), "")
        head = {
            "summary": cut(f"Choose: {choice.title}", _SUMMARY),
            "detail": self._details.of_choice(choice),
            "indicator": _INDICATORS.get(urgent, "info"),
        }
        offers = []
        for option in open_:
            actions = self._requests.creation(option, self._steps[option.path])
            offers.append(suggestion(option.title, self._uuid(option.path), actions))
        card = self._framed(place, head, self._steps[open_[0].path], open_[0].sources)
        return _with_suggestions(card, offers, behavior_of(choice.behavior))

    def _missing(self) -> Iterator[Json]:
        """Yield one card that says what to record first for what waits for the hook."""
        open_ = [s for s in self._applied.steps if s.path in self._waiting]
        labels = {called(s, name) for s in open_ if s.outcome == UNDETERMINED for name in s.missing}
        questions = [one for one in self._applied.sheet.questions if one.label in labels]
        if questions:
            yield self._asking(questions)

    def _asking(self, questions: Sequence[Question]) -> Json:
        labels = ", ".join(question.label for question in questions)
        head = {
            "summary": cut(f"{_RECORD}: {labels}", _SUMMARY),
            "detail": self._details.of_questions(questions),
            "indicator": "info",
        }
        offers = []
        for step in self._applied.steps:
            if step.outcome == MET and step.action.reads_gaps and step.made is not None:
                item = Item(step.path, step.action.title)
                actions = self._requests.creation(item, step)
                offers = [suggestion(item.title, self._uuid(f"{step.path}/ask"), actions)]
                break
        card = self._framed("record-first", head, None, ())
        return _with_suggestions(card, offers, "at-most-one")

    def _failed(self) -> Iterator[Json]:
        """Yield one card for what could not be decided because of a fault, if there is any."""
        failed = [item for item in self._applied.sheet.failures if item.path in self._waiting]
        if failed:
            titles = "; ".join(item.title for item in failed)
            head = {
                "summary": cut(f"Could not be decided: {titles}", _SUMMARY),
                "detail": self._details.of_failures(failed),
                "indicator": "warning",
            }
            yield self._framed("failed", head, self._steps.get(failed[0].path), ())

    def _rest(self, rest: Sequence[Json]) -> Json:
        """Return the card that tells of those for which there is no room."""
        head = {
            "summary": cut(f"{len(rest)} more in the plan: {rest[0]['summary']}", _SUMMARY),
            "detail": self._details.of_rest([card["summary"] for card in rest]),
            "indicator": "info",
        }
        return self._framed("rest", head, None, ())

    def _card(self, place: str, title: str, item: Item, indicator: str) -> Json:
        head = {
            "summary": cut(title, _SUMMARY),
            "detail": self._details.of_item(item, self._steps[item.path]),
            "indicator": indicator,
        }
        return self._framed(place, head, self._steps[item.path], item.sources)

    def _framed(self, place: str, head: Json, step: Step | None, sources: Sequence[str]) -> Json:
        """Return a card with what all cards have."""
        made: Json = {"uuid": self._uuid(f"card/{place}")}
        made |= {name: value for name, value in head.items() if value}
        made["source"] = self._details.source(step, sources)
        links = self._details.links(step)
        return made | ({"links": links} if links else {})

    def _uuid(self, name: str) -> str:
        """Return an id that the same part of the answer to the same call always gets."""
        return str(uuid5(NAMESPACE_URL, f"{self._seed}|{name}"))


def _with_suggestions(card: Json, offers: list[Json], behavior: str) -> Json:
    if not offers:
        return card
    return card | {"suggestions": offers, "selectionBehavior": behavior}


def _triggered(steps: Iterable[Step], hook: str) -> Iterator[str]:
    """Yield the paths of the steps that wait for a hook, and of all below them."""
    open_: list[bool] = []
    for step in steps:
        del open_[step.depth :]
        waits = any(open_) or hook in own_hooks(step.action.source)
        open_.append(waits)
        if waits:
            yield step.path


def answer(cards: Cards) -> dict[str, Any]:
    """Return the answer to a call; what is odd about its data stands in an extension."""
    made: dict[str, Any] = {"cards": cards.all()}
    issues = cards.issues()
    outcome = {"carepath.issues": operation_outcome(issues)}
    return made | ({"extension": outcome} if issues else {})
