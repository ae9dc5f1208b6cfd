"""A patient of a comparison, and the plan that some content gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from carepath.apply import Applied, ApplyRequest, apply_plan
from carepath.knowledge import Knowledge, plan_named
from carepath.record import Record


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """One patient, and how a plan is applied; without `pathway` it is the one top-level plan."""

    name: str
    """What a reader finds the patient by: the file, with the line or the reference if need be."""
    record: Record
    now: datetime
    pathway: str | None = None
    subject: str | None = None
    parameters: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What should have been a patient and is none, in a sentence."""

    name: str
    sentence: str


def applied_to(patient: Patient, knowledge: Knowledge) -> Applied:
    """Return the plan for a patient by some content.

    Raises DefinitionNotFound for a plan that the content does not have, InvalidParameter where the
    plan must be named, and InputError when there is no such patient.
    """
    request = ApplyRequest(
        definition=plan_named(patient.pathway, knowledge),
        record=patient.record,
        now=patient.now,
        subject=patient.subject,
        parameters=patient.parameters,
        # The reasons stand in the decisions; in the requests they would hide what differs.
        explain="none",
    )
    return apply_plan(request, knowledge)
