"""Steps as the page shows them: what to do, why, and who says so.

https://hl7.org/fhir/R4/requestgroup-definitions.html#RequestGroup.action
"""

from collections.abc import Collection, Iterable

from carepath.apply.explain.because import called, facts_told, verb_of
from carepath.apply.page.order import Placed
from carepath.apply.page.reasons import Reasons
from carepath.apply.page.sheet import Item
from carepath.apply.run.step import Step
from carepath.resources import Resource, concept_text


class Footnotes:
    """The conflicts between sources, each told once and numbered in the order they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the texts in the order of their numbers."""
        return tuple(self._numbers)

    def of(self, texts: Iterable[str]) -> tuple[int, ...]:
        """Return the numbers of some texts."""
        return tuple(self._numbers.setdefault(t, len(self._numbers) + 1) for t in texts)


class Items:
    """Makes the items of one page."""

    def __init__(self, reasons: Reasons, unreviewed: Collection[str]) -> None:
        self._reasons = reasons
        self._unreviewed = unreviewed
        self.footnotes = Footnotes()

    def item(self, one: Placed) -> Item:
        """Return a step that applies."""
        step = one.step
        sources = sources_of(one)
        return Item(
            path=step.path,
            title=title_of(step),
            text=instruction(step),
            for_patient=patient_text(step),
            kind=verb_of(step),
            request=step.request or "",
            priority="" if one.priority == "routine" else one.priority,
            is_decided=is_decided(step),
            is_must=one.behavior.startswith("must"),
            is_could=one.behavior == "could",
            reasons=self._reasons.of(step),
            roles=roles_of(step),
            sources=sources,
            is_unreviewed=self._is_unreviewed(sources),
            notes=tuple(sorted(self.footnotes.of(conflicts_of(one)))),
        )

    def waiting(self, one: Placed) -> Item:
        """Return an option that nobody can decide yet, with what must be known before."""
        step = one.step
        missing = tuple(called(step, name) for name in step.missing)
        return Item(step.path, title_of(step), waits_for=missing, sources=sources_of(one))

    def _is_unreviewed(self, sources: Iterable[str]) -> bool:
        """Tell whether all that says so comes from sources that nobody has reviewed."""
        owners = {label.rpartition("-")[0] for label in sources}
        return bool(owners) and owners <= set(self._unreviewed)


def is_decided(step: Step) -> bool:
    """Tell whether a step rests on a decision that is on record."""
    return any(v.fact.line and v.fact.line.is_decision for v in facts_told(step).values())


def title_of(step: Step) -> str:
    """Return what people call a step, as it was worked out for this patient."""
    return str((step.result or {}).get("title") or step.action.title or step.action.key)


def instruction(step: Step) -> str:
    """Return what the step tells to do, without its title; a text that is only that is none."""
    text, title = full_text(step), title_of(step)
    if not text.lower().startswith(title.lower()):
        return text
    rest = text[len(title) :]
    if rest[:1].isalnum():
        return text
    return "" if rest.strip(" .") == "" else rest.lstrip(" ,;:.-")


def full_text(step: Step) -> str:
    """Return the text of the action of a step, as it stands in the answer."""
    result = step.result or {}
    return str(result.get("textEquivalent") or result.get("description") or "")


def patient_text(step: Step) -> str:
    """Return what a step means for the patient, in plain words, empty when nobody says it."""
    return step.action.activity.patient_text if step.action.activity is not None else ""


def roles_of(step: Step) -> tuple[str, ...]:
    """Return the roles of those who take part; a single one is nothing to tell."""
    people = list((step.result or {}).get("participant") or ())
    activity = step.action.activity
    if activity is not None:
        people += [p.get("role") or {} for p in activity.definition.get("participant") or ()]
    names = tuple(dict.fromkeys(filter(None, map(_role, people))))
    return names if len(names) > 1 else ()


def _role(concept: Resource) -> str:
    return str(concept.get("display") or concept_text(concept))


def sources_of(one: Placed) -> tuple[str, ...]:
    """Return the labels of what says so: those of the step, else those of the nearest group."""
    levels = (one.step, *one.around)
    return next((level.action.statements for level in levels if level.action.statements), ())


def conflicts_of(one: Placed) -> Iterable[str]:
    """Return where sources disagree: at the step, and at the groups around it."""
    levels = (one.step, *one.around)
    return dict.fromkeys(text for level in levels for text in level.action.conflicts)
