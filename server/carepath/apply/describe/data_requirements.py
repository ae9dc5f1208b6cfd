"""$data-requirements: the data that a definition reads, as a module-definition Library.

https://hl7.org/fhir/uv/crmi/OperationDefinition-crmi-artifact-data-requirements.html
"""

from collections.abc import Iterable, Iterator
from typing import Any

from carepath.apply.compile.actions import all_actions
from carepath.apply.compile.activity import CompiledActivity, subject_types
from carepath.apply.compile.collection import Collection
from carepath.apply.compile.compiled import CompiledAction, CompiledPlan
from carepath.apply.compile.compiler import Compiler
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Fact, Names, Parameter
from carepath.apply.describe.what_is_read import Reading
from carepath.apply.request import DEFAULT_SETTINGS
from carepath.knowledge import Knowledge
from carepath.resources import Resource, canonical_of

_MODULE = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/library-type",
            "code": "module-definition",
        }
    ]
}


def data_requirements(definition: Resource, knowledge: Knowledge) -> Resource:
    """Return the Library with what applying a PlanDefinition or ActivityDefinition reads.

    Types, elements, codes and value sets come from the expressions themselves and from the data
    requirements that they read by name; nested plans and activities are included.
    """
    compiler = Compiler(knowledge, DEFAULT_SETTINGS, "")
    is_plan = definition["resourceType"] == "PlanDefinition"
    # An activity about the practitioner is read, too, with the patient of the request in focus.
    subject = next(iter(subject_types(definition) if is_plan else ()), "Patient")
    reading = Reading(subject)
    reading.elements[subject] = {}
    used: dict[str, None] = {}
    parameters: dict[str, Resource] = {}
    if is_plan:
        _read_plan(compiler.plan(definition), reading, used, ())
    else:
        _read_activity(compiler.activity(definition), reading, used, ())
    libraries = _libraries(definition, knowledge, used)
    for library in libraries:
        for parameter in library.get("parameter") or ():
            parameters.setdefault(str(parameter.get("name")), parameter)
    made: Resource = {
        "resourceType": "Library",
        "name": f"DataRequirements{_name_of(definition)}",
        "status": definition.get("status", "draft"),
        "experimental": True,
        "type": _MODULE,
        "subjectCodeableConcept": {
            "coding": [{"system": "http://hl7.org/fhir/resource-types", "code": subject}]
        },
        "relatedArtifact": _dependencies(definition, knowledge, [*used, *_value_sets(reading)]),
    }
    if parameters:
        made["parameter"] = list(parameters.values())
    made["dataRequirement"] = list(_requirements(reading))
    return made


def _value_sets(reading: Reading) -> Iterator[str]:
    """Yield the value sets that expressions and data requirements name."""
    yield from reading.asked
    for collection in reading.collections.values():
        for code_filter in collection.code_filters:
            if "valueSet" in code_filter:
                yield str(code_filter["valueSet"])


def _dependencies(
    definition: Resource, knowledge: Knowledge, canonicals: Iterable[str]
) -> list[Resource]:
    """Return what the definition depends on, once each, with the version that would be taken."""
    found = {canonical_of(definition): None}
    for canonical in canonicals:
        known = knowledge.find(canonical, definition)
        found[canonical if known is None else canonical_of(known)] = None
    return [{"type": "depends-on", "resource": canonical} for canonical in found]


def _name_of(definition: Resource) -> str:
    """Return a name for the Library in the form that names have."""
    text = str(definition.get("name") or definition.get("id") or "")
    return "".join(part[:1].upper() + part[1:] for part in text.replace("_", "-").split("-"))


def _read_plan(
    plan: CompiledPlan, reading: Reading, used: dict[str, None], outer: tuple[Names, ...]
) -> None:
    """Read all expressions of a plan and of what it leads to."""
    names = (plan.names, *outer)
    for action in all_actions(plan.actions):
        within = names if action.names is None else (action.names, *names)
        _read_action(action, reading, within)
        if action.definition and action.plan is not None:
            used[action.definition] = None
            _read_plan(action.plan, reading, used, within)
        elif action.definition and action.activity is not None:
            used[action.definition] = None
            _read_activity(action.activity, reading, used, within)
    for goal in plan.goals:
        if goal.get("addresses"):
            reading.elements.setdefault("Condition", {})["code"] = None


def _read_action(action: CompiledAction, reading: Reading, names: tuple[Names, ...]) -> None:
    values = (*action.dynamic_values, *action.action_values)
    _read_all((*action.conditions, *(value.formula for value in values)), reading, names)
    for entry in action.names.entries.values() if action.names is not None else ():
        if not isinstance(entry, Fact | Parameter):
            reading.requirement(entry)


def _read_activity(
    activity: CompiledActivity, reading: Reading, used: dict[str, None], outer: tuple[Names, ...]
) -> None:
    formulas = (value.formula for value in activity.dynamic_values)
    _read_all(formulas, reading, (*activity.names, *outer))


def _read_all(formulas: Iterable[Formula], reading: Reading, names: tuple[Names, ...]) -> None:
    for formula in formulas:
        reading.expression(formula.tree, names)


def _libraries(definition: Resource, knowledge: Knowledge, used: dict[str, None]) -> list[Resource]:
    """Return the Libraries that the definition and the plans it leads to name."""
    found: dict[str, Resource] = {}
    for canonical in (None, *list(used)):
        owner = definition if canonical is None else knowledge.find(canonical, definition)
        for name in (owner or {}).get("library") or ():
            library = knowledge.find(name, owner, "Library")
            if library is not None:
                found[canonical_of(library)] = library
    used |= dict.fromkeys(found)
    return list(found.values())


def _requirements(reading: Reading) -> Iterator[Resource]:
    """Yield one requirement for each type, and one for each place whose codes are known."""
    collections = list(reading.collections.values())
    narrow = {c.type for c in collections} - {c.type for c in collections if not _filters(c)}
    for resource_type in sorted(reading.elements):
        if resource_type not in narrow:
            yield {"type": resource_type, **_elements(reading, resource_type)}
    for collection in collections:
        if _filters(collection):
            elements = _elements(reading, collection.type)
            yield {"type": collection.type, **elements, **_filters(collection)}
    for resource_type, path in sorted(reading.value_sets):
        for value_set in sorted(reading.value_sets[resource_type, path]):
            yield _filtered(resource_type, path, {"valueSet": value_set})
    for resource_type, path in sorted(reading.codes):
        codes = [{"code": code} for code in sorted(reading.codes[resource_type, path])]
        yield _filtered(resource_type, path, {"code": codes})


def _filters(collection: Collection) -> Resource:
    """Return what narrows a data requirement."""
    return {k: v for k, v in collection.requirement.items() if k not in ("id", "type")}


def _elements(reading: Reading, resource_type: str) -> Resource:
    """Return which elements of a type are read."""
    elements = sorted(reading.elements.get(resource_type, ()))
    return {"mustSupport": elements} if elements else {}


def _filtered(resource_type: str, path: str, what: dict[str, Any]) -> Resource:
    return {"type": resource_type, "codeFilter": [{"path": path or "code", **what}]}
