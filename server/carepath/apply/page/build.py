"""Make the sheet of one application: everything sorted, nothing said twice.

Order, counts and what belongs where follow what a tumour board can read in a minute: warnings, at
most seven steps, choices, what to ask first, and the rest in single lines.
"""

from collections.abc import Iterable, Sequence

from carepath.apply.explain.assumptions import assumptions
from carepath.apply.explain.because import because
from carepath.apply.page.changes import changes
from carepath.apply.page.choices import choices
from carepath.apply.page.header import identifiers_of, name_of, patient_line, stages
from carepath.apply.page.items import Items, conflicts_of, is_decided, title_of
from carepath.apply.page.order import Placed, placed
from carepath.apply.page.reasons import Reasons
from carepath.apply.page.sheet import Item, Leaflet, Question, Sheet
from carepath.apply.page.visits import visits
from carepath.apply.run.step import MET, NOT_MET, UNDETERMINED
from carepath.apply.run.walk import Walk
from carepath.deadline import paced

_MOST_STEPS = 7


class Sorted:
    """The steps of an application by the part of the page for them, and what singles each out."""

    def __init__(self, walk: Walk) -> None:
        session = walk.session
        self.placed = placed(walk.steps, session.people.subject, session.today)
        shown = (o.step for o in self.placed if o.part not in ("waiting", "question"))
        self.reasons = Reasons(shown)


def sheet(walk: Walk, sorted_: Sorted, expiries: Sequence[str], not_used: Iterable[str]) -> Sheet:
    """Return all that the pages about an application show.

    `expiries` are sentences about content that is out of date, `not_used` sentences about data
    that decided nothing.
    """
    session, plan = walk.session, walk.plan
    ordered, reasons = sorted_.placed, sorted_.reasons
    items = Items(reasons, {label for p in walk.plans for label in p.unreviewed})
    steps = _items(_by_importance(ordered, reasons), "step", items)
    line = patient_line(walk)
    concerned = any(step.outcome != NOT_MET for step in walk.steps)
    return Sheet(
        title=plan.title or plan.canonical,
        plan=plan.canonical,
        date=session.today,
        language=session.request.language,
        name=name_of(session.patient),
        birth_date=str(session.patient.get("birthDate") or ""),
        identifiers=tuple(identifiers_of(session.patient)),
        warning=walk.closed.diagnostics if walk.closed is not None else "",
        disclaimers=(*assumptions(session), *plan.disclaimers),
        expiries=tuple(expiries),
        changes=None if walk.closed is not None else changes(walk, ordered, reasons),
        patient=line.known,
        unread=line.unread,
        not_recorded=line.missed if concerned else (),
        stages=stages(walk) if concerned else (),
        alerts=_items(ordered, "alert", items),
        steps=steps[:_MOST_STEPS],
        further=steps[_MOST_STEPS:],
        choices=choices(ordered, items),
        against=_items(ordered, "against", items),
        questions=_questions(walk),
        later_questions=tuple(_label(node) for node in session.asked().later.items),
        failures=tuple(_failures(walk)),
        not_made=tuple(_not_made(walk)),
        visits=visits(ordered, items),
        leaflets=tuple(_leaflets(ordered, items)),
        not_used=tuple(dict.fromkeys(not_used)),
        # Numbered as they were met above, so this comes last.
        footnotes=items.footnotes.texts,
    )


def _by_importance(ordered: Iterable[Placed], reasons: Reasons) -> list[Placed]:
    """Return steps in order: urgent first, then what was decided, must before could, rare first.

    Of several that are alike, what only this patient needs comes before what everybody does.
    """

    def rank(one: Placed) -> tuple[int, bool, int, int]:
        urgency, must = one.rank
        return urgency, not is_decided(one.step), must, reasons.rarity(one.step)

    return sorted(ordered, key=rank)


def _items(ordered: Iterable[Placed], part: str, items: Items) -> tuple[Item, ...]:
    """Return the steps of one part of the page; what says the same stands once."""
    found: dict[tuple[str, str], Item] = {}
    for one in paced(ordered):
        if one.part == part:
            item = items.item(one)
            found.setdefault((item.title, item.text), item)
    return tuple(found.values())


def _questions(walk: Walk) -> tuple[Question, ...]:
    """Return what to ask for, what opens most first."""
    asked = walk.session.asked()
    found = []
    for item in asked.now.items:
        opened = asked.opens[item[0]["id"]]
        titles = tuple(dict.fromkeys(opened.titles))
        found.append(Question(_label(item), item[0]["valueString"], titles, opened.decisions))
    return tuple(found)


def _label(item: Sequence[dict[str, dict[str, str]]]) -> str:
    return item[0]["type"]["text"]


def _failures(walk: Walk) -> Iterable[Item]:
    """Yield the steps that could not be decided though no fact is missing."""
    for step in walk.steps:
        if step.outcome == UNDETERMINED and not step.missing and not step.is_blocked:
            yield Item(step.path, title_of(step), text=because(step))


def _not_made(walk: Walk) -> Iterable[Item]:
    """Yield the steps that apply and name a definition of which nothing could be made."""
    for step in walk.steps:
        action = step.action
        is_made = step.request or action.plan is not None or action.reference is not None
        if step.outcome == MET and action.definition and not is_made:
            issues = (i for i in walk.session.issues if i.expression == (step.path,) and i.is_error)
            why = " ".join(dict.fromkeys(issue.diagnostics for issue in issues))
            yield Item(step.path, title_of(step), text=why or f"`{action.definition}` gives none.")


def _leaflets(ordered: Iterable[Placed], items: Items) -> Iterable[Leaflet]:
    """Yield what the patient is told, each text once."""
    seen: set[str] = set()
    for one in ordered:
        if one.part == "leaflet":
            payloads = (one.step.own or {}).get("payload") or ()
            texts = [str(p["contentString"]) for p in payloads if "contentString" in p]
            new = tuple(text for text in texts if text not in seen)
            seen.update(texts)
            notes = items.footnotes.of(conflicts_of(one))
            yield Leaflet(title_of(one.step), new, notes)
