"""Rules on what a definition refers to: canonicals, actions and goals that are there.

https://hl7.org/fhir/R4/references.html#canonical
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from carepath.authoring.lint.names import names_in
from carepath.authoring.lint.roots import root_of
from carepath.authoring.lint.walk import actions, elements, expressions
from carepath.authoring.lint.wording import enumerated, meant
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "definitionCanonical": ("ActivityDefinition", "PlanDefinition", "Questionnaire"),
    "library": ("Library",),
    "transform": ("StructureMap",),
}
"""What the engine follows when it applies a definition, and the types it may lead to."""
_NAMED: Mapping[str, tuple[str, ...]] = {
    "targetProfile": ("StructureDefinition",),
    "profile": ("StructureDefinition",),
    "baseDefinition": ("StructureDefinition",),
    "valueSet": ("ValueSet",),
}
_LEADS_TO = {**_NEEDED, **_NAMED}
_CITED = re.compile(r"\.(?:documentation|relatedArtifact)\[\d+\]\.resource$").search
_MEMBER_OF = re.compile(r"memberOf\(\s*'([^']+)'\s*\)")
_HL7 = re.compile(r"https?://(hl7\.org/fhir/|terminology\.hl7\.org/)")


def leads_somewhere(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every canonical that the engine follows, or that is ours, leads to a definition there is."""
    known_roots = {root_of(definition), "https://carepath.example/fhir"} - {""}
    for path, key, value in elements(definition, definition["resourceType"]):
        if key not in _NEEDED and key not in _NAMED:
            continue
        is_needed = key in _NEEDED or "codeFilter" in path or "compose" in path
        for canonical in value if isinstance(value, list) else [value]:
            if not isinstance(canonical, str) or knowledge.find(canonical, definition):
                continue
            if is_needed or canonical.startswith(tuple(f"{root}/" for root in known_roots)):
                yield _nowhere(canonical, path, knowledge, _LEADS_TO[key])
            elif not _HL7.match(canonical):
                text = f"`{canonical}` is not loaded, so nothing can be checked against it."
                yield Issue("warning", "not-found", text, (path,))


def cites_what_there_is(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every document or artifact whose canonical is ours is there."""
    own = {root_of(definition), "https://carepath.example/fhir"} - {""}
    for path, key, value in elements(definition, definition["resourceType"]):
        if key != "resource" or not isinstance(value, str) or not _CITED(path):
            continue
        is_ours = value.startswith(("#", *(f"{root}/" for root in own)))
        if is_ours and knowledge.find(value, definition) is None:
            yield _nowhere(value, path, knowledge, knowledge.types())


def asks_for_value_sets_there_are(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every ValueSet that an expression asks by `memberOf` is there."""
    for path, expression in expressions(definition):
        for canonical in dict.fromkeys(_MEMBER_OF.findall(expression.get("expression", ""))):
            if knowledge.find(canonical, definition, "ValueSet") is None:
                yield _nowhere(canonical, f"{path}.expression", knowledge, ("ValueSet",))


def relates_to_its_own_parts(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """`relatedAction` and `goalId` name actions and goals of the plan, or of one that nests it."""
    known = {str(action["id"]) for _, action in actions(definition) if "id" in action}
    around = known | _ids_around(definition, knowledge)
    goals = {str(goal["id"]) for goal in definition.get("goal") or () if "id" in goal}
    for path, action in actions(definition):
        for index, related in enumerate(action.get("relatedAction") or ()):
            place = f"{path}.relatedAction[{index}].actionId"
            name = str(related.get("actionId"))
            if name not in around:
                yield _missing("action", name, known, place)
            elif name == action.get("id"):
                text = f"The action `{name}` is related to itself; name another one."
                yield Issue("error", "business-rule", text, (place,))
        for index, name in enumerate(action.get("goalId") or ()):
            if name not in goals:
                yield _missing("goal", str(name), goals, f"{path}.goalId[{index}]")


def names_nothing_twice(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Actions, goals, facts, parameters and data requirements have names of their own."""
    resource_type = definition["resourceType"]
    goals = enumerate(definition.get("goal") or ())
    yield from _twice((f"{resource_type}.goal[{i}].id", goal.get("id")) for i, goal in goals)
    yield from _twice((f"{path}.id", action.get("id")) for path, action in actions(definition))
    yield from _twice((entry.path, entry.name) for entry in names_in(definition))


def _twice(named: Iterator[tuple[str, object]]) -> Iterator[Issue]:
    seen: dict[object, str] = {}
    for path, name in named:
        first = seen.setdefault(name, path)
        if name and first != path:
            text = f"The name `{name}` stands twice, first at {first}; choose another one."
            yield Issue("error", "duplicate", text, (path,))


def _missing(what: str, name: str, known: set[str], path: str) -> Issue:
    near = meant(name, known) or f" There are: {enumerated(sorted(known))}."
    return Issue("error", "not-found", f"The plan has no {what} `{name}`.{near}", (path,))


def _nowhere(canonical: str, path: str, knowledge: Knowledge, types: Iterable[str]) -> Issue:
    url, _, version = canonical.partition("|")
    found = knowledge.find(url)
    if found is not None and version:
        there = found.get("version")
        remedy = (
            f" There is version {there} of it." if there else " It is there, without a version."
        )
    else:
        urls = (str(d["url"]) for t in types for d in knowledge.all(t) if "url" in d)
        remedy = meant(url, urls) or " Add the definition to the folder, or correct the url."
    return Issue("error", "not-found", f"`{canonical}` leads nowhere.{remedy}", (path,))


def _ids_around(plan: Resource, knowledge: Knowledge) -> set[str]:
    """Return the ids of actions in the plans that nest this one."""
    if plan["resourceType"] != "PlanDefinition" or "url" not in plan:
        return set()
    return {
        str(action.get("id"))
        for other in knowledge.all("PlanDefinition")
        if other is not plan and any(_nests(a, plan) for _, a in actions(other))
        for _, action in actions(other)
    }


def _nests(action: Resource, plan: Resource) -> bool:
    return str(action.get("definitionCanonical", "")).partition("|")[0] == str(plan["url"])
