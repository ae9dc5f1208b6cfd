"""A page of the explorer: a template with its values, and the headers that keep it to itself.

https://www.w3.org/TR/CSP3/ and https://jinja.palletsprojects.com/

Everything that is put into a template is escaped.  Nothing on a page comes from another host, and
no script or style stands inside of one.
"""

from functools import cache
from typing import Any
from urllib.parse import urlsplit

from flask import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from carepath.errors import InputError
from carepath.web import service
from carepath.web.explorer.plans import Plans
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
    shared: dict[str, Any] = {
        "root": root(),
        "here": current().request.path,
        "notices": plans.disclaimers,
        "has_hooks": service.current().config.cds_hooks,
    }
    text = _environment().get_template(template).render(**shared, **values)
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


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("carepath.web.explorer", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
