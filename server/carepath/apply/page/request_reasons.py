"""The reason of a request in the request itself, where a receiver finds it that takes nothing else.

https://hl7.org/fhir/R4/servicerequest-definitions.html#ServiceRequest.reasonCode

What the reason rests on stands beside it in `reasonReference`; its sources are named by the labels
under which the plan's `relatedArtifact` lists them.
"""

from collections.abc import Iterable

from carepath.apply.explain.because import facts_behind_request, shown
from carepath.apply.page.reasons import Reasons
from carepath.apply.run.step import Step
from carepath.deadline import paced
from carepath.r4.model import type_of
from carepath.resources import Resource


def add_reasons(steps: Iterable[Step], reasons: Reasons) -> None:
    """Write into each request why it is proposed and who says so.

    A request that several actions share tells each reason once; a kind that has no place for a
    reason in words is left as it is.
    """
    for step in paced(steps):
        if step.made is not None and step.request is not None:
            text = reason_of(step, reasons)
            if text:
                _add(step.made, {"text": text})


def reason_of(step: Step, reasons: Reasons) -> str:
    """Return the facts that single a step out, else all that decided, and its sources' labels."""
    told = [f"{one.label} is {one.value}" for one in reasons.of(step)]
    every = told or [f"{v.fact.words} is {shown(v)}" for v in facts_behind_request(step)]
    facts = "; ".join(every)
    sources = ", ".join(sources_of(step))
    if not sources:
        return facts
    return f"{facts} [{sources}]" if facts else f"[{sources}]"


def sources_of(step: Step) -> tuple[str, ...]:
    """Return the labels of the sources behind a step: its own, else those of its group."""
    if step.action.statements or step.reason is None:
        return step.action.statements
    return sources_of(step.reason)


def _add(request: Resource, reason: Resource) -> None:
    definition = type_of(request["resourceType"])
    element = definition.elements.get("reasonCode") if definition is not None else None
    if element is None:
        return
    if not element.is_list:
        request.setdefault("reasonCode", reason)
    elif reason not in request.get("reasonCode", ()):
        request["reasonCode"] = [*request.get("reasonCode", ()), reason]
