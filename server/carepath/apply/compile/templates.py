"""An action of a RequestGroup, as far as it is the same for everybody.

https://hl7.org/fhir/R4/requestgroup-definitions.html#RequestGroup.action
"""

from carepath.apply.compile.activity import CompiledActivity
from carepath.apply.compile.extensions import DIRECTION, OWN, STRENGTH
from carepath.apply.compile.names import VARIABLE
from carepath.apply.request import ApplySettings
from carepath.resources import Resource, codings

APPLICABILITY_BEHAVIOR = "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior"
_ACTION_TYPE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/action-type", "code": "create"}]
}
_COPIED = (
    "extension",
    "prefix",
    "title",
    "description",
    "textEquivalent",
    "priority",
    "code",
    "documentation",
    "timingDateTime",
    "timingAge",
    "timingPeriod",
    "timingDuration",
    "timingRange",
    "timingTiming",
    "type",
    "groupingBehavior",
    "selectionBehavior",
    "requiredBehavior",
    "precheckBehavior",
    "cardinalityBehavior",
)
_NOT_COPIED = {VARIABLE, APPLICABILITY_BEHAVIOR, OWN + "never-undetermined", OWN + "joined-as"}
"""Extensions that steer the engine or the author's checks and say nothing about the result."""
_CQF = "http://hl7.org/fhir/StructureDefinition/"
_CARRIED_AS = {
    STRENGTH: OWN + "strength-of-recommendation",
    _CQF + "cqf-qualityOfEvidence": OWN + "quality-of-evidence",
}
"""Extensions that HL7 allows on an action of a plan but not on one of a RequestGroup."""

_PROFILE = {
    *_CARRIED_AS.values(),
    "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-rationale",
}


def template(
    action: Resource, activity: CompiledActivity | None, settings: ApplySettings
) -> Resource:
    """Return the RequestGroup action of an action of a plan, without what concerns a patient."""
    made: Resource = {"id": action["id"]} if "id" in action else {}
    for name in _COPIED:
        for key in (name, f"_{name}"):
            if key in action:
                made[key] = action[key]
    kept = _extensions(made)
    if kept:
        made["extension"] = kept
    else:
        made.pop("extension", None)
    cited = activity.definition.get("relatedArtifact") if activity is not None else None
    if cited:
        # R4 requests have no place for what backs their definition; the action has.
        own = made.get("documentation") or ()
        made["documentation"] = [*own, *(item for item in cited if item not in own)]
    carried = [c for c in action.get("condition") or () if c.get("kind") != "applicability"]
    if carried and settings.carry_conditions:
        made["condition"] = carried
    if settings.create_type and "type" not in made:
        made["type"] = _ACTION_TYPE
    return made


def brief(made: Resource, *, holds_actions: bool, has_request: bool) -> Resource:
    """Return a RequestGroup action without what its request or its definition says as well.

    A group keeps its title; what a reader must do, and who says so, is told by what it holds.
    Sources are named by their labels.  What is not of ours, or steers who does what when, is kept.
    """
    dropped = {"_description", "type"} if _is_creation(made.get("type")) else {"_description"}
    if has_request or holds_actions:
        dropped.add("code")
    if "textEquivalent" in made or (holds_actions and not has_request):
        dropped.add("description")
    if holds_actions and not has_request:
        dropped.add("textEquivalent")
    kept = {name: value for name, value in made.items() if name not in dropped}
    extensions = [e for e in made.get("extension") or () if not _is_profile(e)]
    if extensions:
        kept["extension"] = extensions
    else:
        kept.pop("extension", None)
    if holds_actions and not has_request:
        kept.pop("documentation", None)
    elif "documentation" in made:
        kept["documentation"] = [_label_of(artifact) for artifact in made["documentation"]]
    return kept


def _is_profile(extension: Resource) -> bool:
    """Tell whether an extension only says how well a recommendation is founded."""
    if extension.get("url") == DIRECTION:
        return any(c.get("code") == "for" for c in codings(extension.get("valueCodeableConcept")))
    return extension.get("url") in _PROFILE


def _label_of(artifact: Resource) -> Resource:
    """Return a source by its label, or all of it when it has none."""
    if artifact.get("type") != "documentation" or not artifact.get("label"):
        return artifact
    return {"type": "documentation", "label": artifact["label"]}


def _is_creation(concept: Resource | None) -> bool:
    return any(coding.get("code") == "create" for coding in codings(concept))


def _extensions(element: Resource) -> list[Resource]:
    """Return the extensions that say something about the result, under the URLs they have there."""
    return [
        {**e, "url": _CARRIED_AS.get(e["url"], e["url"])}
        for e in element.get("extension") or ()
        if e.get("url") not in _NOT_COPIED
    ]
