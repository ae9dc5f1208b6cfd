"""The front page: what this is, the pathways with their pictures, and where to go on."""

from flask import Response

from carepath.web import service
from carepath.web.explorer.documents import documents
from carepath.web.explorer.pages import page
from carepath.web.explorer.pathway_values import front_values
from carepath.web.explorer.plans import Plans


def front() -> Response:
    """Show the front page."""
    plans = service.current().knowledge.derived(Plans)
    return page("front.html", documents=documents(), **front_values(plans))
