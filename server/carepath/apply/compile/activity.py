"""One ActivityDefinition, compiled: the request it makes, as far as it is the same for everybody.

https://hl7.org/fhir/R4/activitydefinition.html#12.17.3.3
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from carepath.apply.compile.activity_elements import Source, allowed_code
from carepath.apply.compile.dynamic_value import (
    DO_NOT_PERFORM,
    DynamicValue,
    dynamic_value,
    misplaced,
)
from carepath.apply.compile.extensions import OWN, texts_of
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.kind import Kind
from carepath.apply.compile.kinds import APPOINTMENT_PRIORITY, KINDS
from carepath.apply.compile.modifiers import modifiers
from carepath.apply.compile.names import CompileExpression, Names
from carepath.apply.compile.path import Path, UnknownPath, compile_path, modifier_path
from carepath.apply.compile.unknown_names import unknown_names
from carepath.apply.issues import issue_of
from carepath.errors import UnsupportedFeature
from carepath.issues import Issue
from carepath.r4.model import RESOURCE_TYPES
from carepath.resources import Resource, canonical_of, codings

INSTANTIATES = "http://hl7.org/fhir/StructureDefinition/workflow-instantiatesCanonical"
OWN_INSTANTIATES = (
    "https://carepath.example/fhir/StructureDefinition/appointment-instantiates-canonical"
)
_FORBIDS = re.compile(r"(?:\$this\.|%resource\.|[A-Z]\w+\.)?doNotPerform").fullmatch


@dataclass(slots=True, eq=False)
class CompiledActivity:
    """What one ActivityDefinition makes; `kind` is None when it can make nothing."""

    definition: Resource
    canonical: str
    resource_type: str
    kind: Kind | None
    template: Resource
    dynamic_values: tuple[DynamicValue, ...]
    decisive: tuple[DynamicValue, ...]
    """Those of its values without which nobody knows what the request means."""
    names: tuple[Names, ...]
    subject_type: str
    may_be_option: bool
    is_against: bool
    recipients: bool
    contained: Mapping[str, Resource]
    patient_text: str
    """What the request means for the patient, in plain words."""
    issues: tuple[Issue, ...] = field(default=())


def compile_activity(
    activity: Resource,
    compile_: CompileExpression,
    names: tuple[Names, ...],
    status: str,
) -> CompiledActivity:
    """Compile an ActivityDefinition; what it cannot make is in `issues`, never an exception."""
    issues: list[Issue] = []
    resource_type = _resource_type(activity)
    kind = _kind(activity, resource_type, issues)
    template: Resource = {}
    if kind is not None:
        source = Source(activity, resource_type)
        template = _template(source, kind, status, issues)
        issues.extend(source.issues())
    type_name = subject_type(activity)
    values = compile_dynamic_values(activity, kind, resource_type, compile_, issues)
    for value in values:
        what = f"the value for `{value.path.text}`"
        issues.extend(unknown_names(value.formula, type_name, what))
    return CompiledActivity(
        definition=activity,
        canonical=canonical_of(activity),
        resource_type=resource_type,
        kind=kind,
        template=template,
        dynamic_values=tuple(filter(is_set, values)),
        decisive=tuple(value for value in values if value.decides and kind is not None),
        names=names,
        subject_type=type_name,
        may_be_option=kind is not None
        and kind.intent
        and allowed_code(resource_type, "intent", "option"),
        is_against=activity.get("doNotPerform") is True,
        recipients=resource_type == "CommunicationRequest" and Source(activity, "").has_patient,
        contained={r["id"]: r for r in activity.get("contained") or () if "id" in r},
        patient_text=next(texts_of(activity, OWN + "patient-text"), ""),
        issues=tuple(issues),
    )


def _kind(activity: Resource, resource_type: str, issues: list[Issue]) -> Kind | None:
    """Return the kind of request that is made, None with an issue where there is none."""
    kind = KINDS.get(resource_type)
    what = f"An ActivityDefinition of kind `{resource_type or 'unknown'}`"
    unknown = next(iter(modifiers(activity)), None)
    if unknown is not None:
        what = unknown
    elif kind is not None:
        if kind.forbids or activity.get("doNotPerform") is not True:
            return kind
        what = f"`doNotPerform` of a {resource_type}, which R4 cannot say,"
    issues.append(issue_of(UnsupportedFeature("", what, canonical_of(activity))))
    return None


def compile_dynamic_values(
    owner: Resource,
    kind: Kind | None,
    resource_type: str,
    compile_: CompileExpression,
    issues: list[Issue],
) -> tuple[DynamicValue, ...]:
    """Compile the dynamicValues of a definition or an action, in the order listed.

    One that decides what the request means is kept even if it cannot be evaluated.
    """
    compiled = []
    for item in owner.get("dynamicValue") or ():
        text = str(item.get("path") or "")
        formula = compile_(item.get("expression") or {})
        try:
            value = _compiled_value(text, formula, kind, resource_type)
        except UnknownPath as error:
            wrong = misplaced(text, formula, error) if kind is not None else None
            if wrong is not None:
                compiled.append(wrong)
            else:
                issues.append(Issue("error", "invalid", str(error)))
            continue
        if formula.problem is None or value.decides:
            compiled.append(value)
        else:
            problem = formula.problem
            told = f"The value for `{text}` was not set. {problem.diagnostics}"
            issues.append(Issue(_severity(problem), problem.code, told))
    return tuple(compiled)


def _compiled_value(
    text: str, formula: Formula, kind: Kind | None, resource_type: str
) -> DynamicValue:
    """Compile one dynamicValue; `doNotPerform` stands where the kind says it."""
    if kind is None or kind.forbids == "element" or not _FORBIDS(text):
        return dynamic_value(compile_path(text, resource_type), formula)
    if kind.forbids == "extension":
        path = modifier_path(text, resource_type, DO_NOT_PERFORM, "valueBoolean")
        return dynamic_value(path, formula)
    return DynamicValue(Path(text, False, ()), formula, None, "doNotPerform", is_set=False)


def reads_activity(values: Iterable[DynamicValue], activity: CompiledActivity | None) -> bool:
    """Tell whether a value of an action, or of its activity, reads the activity's definition."""
    own = activity.dynamic_values if activity is not None else ()
    return any("activityDefinition" in value.formula.variables for value in (*own, *values))


def is_set(value: DynamicValue) -> bool:
    """Tell whether a value is put into the result, once what it decides is known."""
    return value.is_set and value.formula.error is None


def _severity(problem: Issue) -> Any:
    """A language that is not known is a warning about one value, not a fault."""
    return "warning" if problem.code == "not-supported" else problem.severity


def _resource_type(activity: Resource) -> str:
    """Return the kind; a definition with a product or a dosage and no kind is a medication."""
    if activity.get("kind"):
        return str(activity["kind"])
    names = ("productCodeableConcept", "productReference", "dosage")
    return "MedicationRequest" if any(name in activity for name in names) else ""


def subject_type(definition: Resource) -> str:
    """Return the type of the subject that a definition or action names, empty without one."""
    if "subjectReference" in definition:
        return "Group"
    concept = definition.get("subjectCodeableConcept") or {}
    codes = [str(coding["code"]) for coding in concept.get("coding") or () if "code" in coding]
    return codes[0] if codes else ""


def subject_types(definition: Resource) -> tuple[str, ...]:
    """Return the resource types that a plan is for; none where it is for a described Group.

    Without any it is for a Patient, as R4 says of measures and libraries.
    """
    if "subjectReference" in definition:
        return ()
    coded = codings(definition.get("subjectCodeableConcept"))
    codes = [str(coding.get("code")) for coding in coded]
    return tuple(code for code in codes if code in RESOURCE_TYPES) or ("Patient",)


def _template(source: Source, kind: Kind, status: str, issues: list[Issue]) -> Resource:
    """Return the request without what concerns the patient."""
    activity, resource_type = source.activity, source.kind
    made: Resource = {"resourceType": resource_type, "id": ""}
    if activity.get("profile"):
        made["meta"] = {"profile": [activity["profile"]]}
    made |= _instantiates(activity, kind)
    if kind.status:
        # A status that a deployment chose replaces `draft` where the kind has it.
        wanted = status if kind.status == "draft" else kind.status
        made["status"] = wanted if allowed_code(resource_type, "status", wanted) else kind.status
    if kind.intent:
        made["intent"] = _intent(activity, resource_type, issues)
    priority = activity.get("priority")
    if priority and resource_type == "Appointment":
        made["priority"] = APPOINTMENT_PRIORITY.get(priority, APPOINTMENT_PRIORITY["routine"])
    elif priority and kind.priority:
        made["priority"] = priority
    elif priority:
        issues.append(_no_place("priority", activity, resource_type))
    if activity.get("doNotPerform") is True:
        if kind.forbids == "element":
            made["doNotPerform"] = True
        else:
            made["modifierExtension"] = [{"url": DO_NOT_PERFORM, "valueBoolean": True}]
    return made | kind.build(source)


def _no_place(element: str, activity: Resource, resource_type: str) -> Issue:
    """Return the issue for an element that the kind of request has no place for."""
    name = canonical_of(activity)
    text = f"`{element}` of `{name}` has no place in a {resource_type} and was left out."
    return Issue("information", "not-supported", text)


def _instantiates(activity: Resource, kind: Kind) -> Resource:
    """Return how the request names its definition; an own definition without a URL has no name."""
    if not isinstance(activity.get("url"), str):
        return {}
    canonical = canonical_of(activity)
    if kind.instantiates == "list":
        return {"instantiatesCanonical": [canonical]}
    if kind.instantiates == "one":
        return {"instantiatesCanonical": canonical}
    if kind.instantiates:
        url = INSTANTIATES if kind.instantiates == "extension" else OWN_INSTANTIATES
        return {"extension": [{"url": url, "valueCanonical": canonical}]}
    return {}


def _intent(activity: Resource, resource_type: str, issues: list[Issue]) -> str:
    """Return the intent, `proposal` when none is given or the kind does not know it."""
    intent = str(activity.get("intent") or "proposal")
    if allowed_code(resource_type, "intent", intent):
        return intent
    text = f"A {resource_type} cannot have the intent `{intent}`; `proposal` was taken."
    issues.append(Issue("warning", "value", text))
    return "proposal"
