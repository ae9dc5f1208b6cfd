"""The page of one pathway, and its picture: scope, what follows when, sources, conflicts.

https://hl7.org/fhir/R4/plandefinition.html
"""

from flask import Response
from markupsafe import Markup

from carepath.apply.drawing import Branch, Marks, Outline, branches_of, drawing
from carepath.web import service
from carepath.web.explorer.assets import tagged
from carepath.web.explorer.pages import page
from carepath.web.explorer.plans import Plans, disclaimers_of, phases_of, sources_of


def pathway(id: str) -> Response:
    """Show a pathway; raises DefinitionNotFound."""
    ours = service.current()
    plan = ours.knowledge.definition("PlanDefinition", id)
    plans = ours.knowledge.derived(Plans)
    outline = plans.outline(plan)
    return page(
        "pathway.html",
        plan=plan,
        outline=outline,
        rows=list(branches_of(outline.branches)),
        wide=picture_of(outline, "wide"),
        narrow=picture_of(outline, "narrow"),
        phases=phases_of(plan),
        disclaimers=disclaimers_of(plan),
        sources=sources_of(plan),
        statements=plans.cited(plan),
        used_by=plans.used_by(plan),
    )


def picture(id: str) -> Response:
    """Answer with the picture of a pathway, for documents and print."""
    ours = service.current()
    plan = ours.knowledge.definition("PlanDefinition", id)
    outline = ours.knowledge.derived(Plans).outline(plan)
    response = tagged(Response(drawing(outline, "narrow"), content_type="image/svg+xml"))
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response


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
