"""What stands on a page about one application, before anybody sets it in words and lines.

Templates read these values by name; what they may rely on is described in `docs/pages.md`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Told:
    """A fact and its value for people.

    `date` is the day (or month, or year) of the only resource that it rests on, else empty.
    """

    label: str
    value: str
    is_labelled: bool = True
    date: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One step of the plan.

    `path` is that of its action, `text` what to do, `reasons` the facts that single it out,
    `sources` the labels of what says it, `notes` the numbers of footnotes, `for_patient` what it
    means in plain words.
    """

    path: str
    title: str
    text: str = ""
    for_patient: str = ""
    kind: str = ""
    request: str = ""
    """The type of the request that is made, empty when there is none."""
    priority: str = ""
    is_decided: bool = False
    """It rests on a decision that is on record."""
    is_must: bool = False
    is_could: bool = False
    reasons: tuple[Told, ...] = ()
    sources: tuple[str, ...] = ()
    is_unreviewed: bool = False
    roles: tuple[str, ...] = ()
    """Who takes part, where there are several."""
    notes: tuple[int, ...] = ()
    waits_for: tuple[str, ...] = ()
    """What must be known before this can be decided; empty when it applies."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Ways between which the reader chooses; those that wait for something are closed."""

    title: str
    text: str
    options: tuple[Item, ...]
    behavior: str = ""
    notes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A fact to ask for, how it is recorded, and what waits for it."""

    label: str
    recording: str
    opens: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Visit:
    """What is due in one stretch of time; an end that nobody names is empty."""

    start: str
    end: str
    items: tuple[Item, ...]
    interval: str = ""
    """The title of the group that it belongs to, which mostly says how often it is due."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One phase of care, and where the patient stands to it."""

    title: str
    state: Literal["past", "present", "future"]


@dataclass(frozen=True, slots=True)
class Leaflet:
    """What a patient is told."""

    title: str
    texts: tuple[str, ...]
    notes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A step that differs from an earlier plan, with the facts that decided it now."""

    title: str
    reasons: tuple[Told, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What has become of an earlier plan."""

    date: str
    new: tuple[Change, ...] = ()
    ended: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    still_open: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that the pages about one application are made of, the most important first."""

    title: str
    plan: str
    """The canonical of the plan, with its version."""
    date: str
    """The day of the application."""
    language: str
    name: str = ""
    """What the patient is called, as the record says."""
    birth_date: str = ""
    identifiers: tuple[str, ...] = ()
    """The values of the patient's business identifiers."""
    warning: str = ""
    """Why nothing is proposed at all."""
    disclaimers: tuple[str, ...] = ()
    expiries: tuple[str, ...] = ()
    changes: Changes | None = None
    patient: tuple[Told, ...] = ()
    unread: tuple[Told, ...] = ()
    """Facts that something on record is about, of which nobody here knows what it says."""
    not_recorded: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    alerts: tuple[Item, ...] = ()
    steps: tuple[Item, ...] = ()
    further: tuple[Item, ...] = ()
    """The steps beyond those that fit on the page."""
    choices: tuple[Choice, ...] = ()
    against: tuple[Item, ...] = ()
    questions: tuple[Question, ...] = ()
    later_questions: tuple[str, ...] = ()
    failures: tuple[Item, ...] = ()
    """Steps that could not be decided because of a fault in the plan or the data."""
    not_made: tuple[Item, ...] = ()
    """Steps that apply and of which no request could be made, with the reason."""
    visits: tuple[Visit, ...] = ()
    leaflets: tuple[Leaflet, ...] = ()
    not_used: tuple[str, ...] = ()
    """Sentences about data that were not used."""
    footnotes: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """Return every step that is shown, wherever on the page."""
        offered = (item for choice in self.choices for item in choice.options)
        dated = (item for visit in self.visits for item in visit.items)
        alone = (*self.alerts, *self.steps, *self.further, *self.against)
        return (*alone, *offered, *dated)
