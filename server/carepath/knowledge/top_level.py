"""The plans to begin with: those that no other plan leads to.

A rule that waits for an event (of the type `eca-rule`) is one only where there is nothing else.
https://hl7.org/fhir/R4/codesystem-plan-definition-type.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath.canonical import Canonical
from carepath.errors import InvalidParameter
from carepath.knowledge.repository import Knowledge
from carepath.resources import Resource, codings

_RULE = "eca-rule"


def top_level_plans(knowledge: Knowledge) -> list[Resource]:
    """Return the plans that no other plan leads to, of each canonical the newest version."""
    plans = knowledge.all("PlanDefinition")
    used = {
        Canonical.parse(canonical).url
        for plan in plans
        for action in _actions(plan)
        if (canonical := action.get("definitionCanonical"))
    }
    newest = {str(p.get("url")): knowledge.plan(str(p.get("url"))) for p in plans if p.get("url")}
    first = [p for url, p in newest.items() if url not in used and p.get("status") != "retired"]
    return [plan for plan in first if not _is_rule(plan)] or first


def plan_named(name: str | None, knowledge: Knowledge) -> Resource:
    """Return the plan of an id or a canonical, or without one the only top-level plan.

    Raises DefinitionNotFound, and InvalidParameter where a name is needed.
    """
    if name:
        return knowledge.plan(name)
    plans = top_level_plans(knowledge)
    if len(plans) != 1:
        names = ", ".join(f"`{plan.get('id')}`" for plan in plans)
        raise InvalidParameter("pathway", None, f"one of {names}" if names else "a plan")
    return plans[0]


def _is_rule(plan: Resource) -> bool:
    return any(coding.get("code") == _RULE for coding in codings(plan.get("type")))


def _actions(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every action below a plan or an action."""
    for action in definition.get("action") or ():
        yield action
        yield from _actions(action)
