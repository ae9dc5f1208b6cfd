"""The front page: what this is, the pathways with their pictures, and where to go on."""

from flask import Response

from carepath.web import service
from carepath.web.explorer.pages import page
from carepath.web.explorer.plans import Plans, phases_of


def front() -> Response:
    """Show the front page."""
    plans = service.current().knowledge.derived(Plans)
    return page(
        "front.html",
        entries=[(plan, plans.outline(plan), phases_of(plan)) for plan in plans.entries],
        parts=[(plan, plans.outline(plan)) for plan in plans.parts],
    )
