"""What the pages of pathways show, whoever sets them: values for their templates.

https://hl7.org/fhir/R4/plandefinition.html
"""

from typing import Any

from markupsafe import Markup

from carepath.apply.drawing import Branch, Marks, Outline, branches_of, drawing
from carepath.authoring.case_outcomes import PlanCases
from carepath.knowledge import Knowledge
from carepath.resources import Resource
from carepath.web.explorer.plans import Plans, disclaimers_of, phases_of, sources_of


def front_values(plans: Plans) -> dict[str, Any]:
    """Return what the front page shows of the plans."""
    return {
        "entries": [(plan, plans.outline(plan), phases_of(plan)) for plan in plans.entries],
        "parts": [(plan, plans.outline(plan)) for plan in plans.parts],
    }


def pathway_values(plan: Resource, plans: Plans, cases: PlanCases) -> dict[str, Any]:
    """Return what the page of a plan shows."""
    outline = plans.outline(plan)
    return {
        "plan": plan,
        "outline": outline,
        "rows": list(branches_of(outline.branches)),
        "wide": picture_of(outline, "wide"),
        "narrow": picture_of(outline, "narrow"),
        "phases": phases_of(plan),
        "disclaimers": disclaimers_of(plan),
        "sources": sources_of(plan),
        "statements": plans.cited(plan),
        "used_by": plans.used_by(plan),
        "cases": cases,
        "is_shipped": Knowledge.shipped().holds(plan),
    }


def picture_of(outline: Outline, form: str) -> Markup:
    """Return the picture of a pathway for its page, each action linked to its row."""
    links = {path: f"#action-{branch.id}" for path, branch in paths_of(outline.branches, "")}
    text = drawing(outline, "wide" if form == "wide" else "narrow", Marks(links=links), form)
    return Markup(text)  # noqa: S704 - its template escapes every text


def paths_of(branches: tuple[Branch, ...], prefix: str) -> list[tuple[str, Branch]]:
    """Return branches with all below them, by their paths in the plan."""
    found: list[tuple[str, Branch]] = []
    for branch in branches:
        path = f"{prefix}/{branch.id}" if prefix else branch.id
        found += [(path, branch), *paths_of(branch.branches, path)]
    return found
