"""A page of the explorer as an answer: with the headers that keep it to itself.

https://www.w3.org/TR/CSP3/
"""

from typing import Any
from urllib.parse import urlsplit

from flask import Response

from carepath.errors import InputError
from carepath.web import service
from carepath.web.explorer.addresses import Served
from carepath.web.explorer.plans import Plans
from carepath.web.explorer.rendering import text_of
from carepath.web.http import outcomes
from carepath.web.http.exchange import current
from carepath.web.http.urls import FHIR

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def page(template: str, *, status: int = outcomes.OK, **values: Any) -> Response:
    """Answer with a page.

    Links begin with what a proxy put before the path, so that they lead here again.
    """
    plans = service.current().knowledge.derived(Plans)
    prefix = root()
    shared = {
        "root": prefix,
        "at": Served(prefix),
        "here": current().request.path,
        "notices": plans.disclaimers,
        "preview": None,
        "has_hooks": service.current().config.cds_hooks,
    }
    text = text_of(template, **shared, **values)
    response = Response(text, status=status, content_type="text/html; charset=utf-8")
    response.headers.update(_HEADERS)
    return response


def root() -> str:
    """Return what stands before the paths of pages, as the browser sees them: empty mostly."""
    try:
        path = urlsplit(current().base).path
    except InputError:
        return ""  # The page says what is wrong with the address.
    return path.removesuffix(FHIR) if path.endswith(FHIR) else ""
