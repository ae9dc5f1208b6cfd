"""How a request refers to what it rests on.

https://hl7.org/fhir/R4/request.html
"""

from collections.abc import Sequence

from carepath.apply.compile.kind import Kind
from carepath.r4.model import type_of
from carepath.resources import Resource


def evidence_elements(
    name: str, kind: Kind, template: Resource, evidence: Sequence[tuple[str, Resource]]
) -> Resource:
    """Return how a request refers to what it rests on.

    As the reason where R4 allows the type, else as supporting information where the kind has any.
    """
    if not (kind.reason_reference or kind.supporting):
        return {}
    targets = targets_of(name, kind.reason_reference) if kind.reason_reference else ()
    others: list[Resource] = []
    reasons: list[Resource] = []
    for resource_type, reference in evidence:
        if resource_type != "Patient":
            is_reason = kind.reason_reference and (not targets or resource_type in targets)
            (reasons if is_reason else others).append(reference)
    if name == "Task":
        return _task_evidence(template, reasons)
    made: Resource = {kind.reason_reference: reasons} if reasons else {}
    if others and kind.supporting:
        made[kind.supporting] = [*template.get(kind.supporting, ()), *others]
    return made


def _task_evidence(template: Resource, reasons: list[Resource]) -> Resource:
    """Return the evidence of a Task, which has one reason; the others are inputs."""
    if not reasons:
        return {}
    made: Resource = {"reasonReference": reasons[0]}
    inputs = [{"type": {"text": "evidence"}, "valueReference": r} for r in reasons[1:]]
    if inputs:
        made["input"] = [*template.get("input", ()), *inputs]
    return made


def targets_of(resource_type: str, name: str) -> tuple[str, ...]:
    """Return the types that an element may refer to, none for any."""
    found = type_of(resource_type)
    return found.elements[name].targets if found is not None and name in found.elements else ()
