"""The page of one pathway, and its picture: scope, what follows when, sources, conflicts, cases."""

from flask import Response

from carepath.apply.drawing import drawing
from carepath.web import service
from carepath.web.explorer.assets import tagged
from carepath.web.explorer.pages import page
from carepath.web.explorer.pathway_values import pathway_values
from carepath.web.explorer.plans import Plans


def pathway(id: str) -> Response:
    """Show a pathway; raises DefinitionNotFound."""
    ours = service.current()
    plan = ours.knowledge.definition("PlanDefinition", id)
    plans = ours.knowledge.derived(Plans)
    return page("pathway.html", **pathway_values(plan, plans, ours.cases.of(plan)))


def picture(id: str) -> Response:
    """Answer with the picture of a pathway, for documents and print."""
    ours = service.current()
    plan = ours.knowledge.definition("PlanDefinition", id)
    outline = ours.knowledge.derived(Plans).outline(plan)
    response = tagged(Response(drawing(outline, "narrow"), content_type="image/svg+xml"))
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response
