"""The style and the script of the explorer, as files of the package.

https://hl7.org/fhir/R4/http.html#versions (the same tags as everywhere here)
"""

from collections.abc import Mapping
from hashlib import sha256

from flask import Response, request

from carepath.web.explorer.rendering import static_file
from carepath.web.http.refusals import UnknownEndpoint

_TYPES: Mapping[str, str] = {
    "explorer.css": "text/css; charset=utf-8",
    "explorer.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def asset(name: str) -> Response:
    """Answer with a file, or with 304 when the browser has it."""
    if name not in _TYPES:
        raise UnknownEndpoint("There is nothing at this URL.")
    return tagged(Response(static_file(name), content_type=_TYPES[name]))


def tagged(response: Response) -> Response:
    """Return an answer with a tag of its bytes, without a body where the browser has these."""
    response.set_etag(sha256(response.get_data()).hexdigest()[:16])
    response.make_conditional(request)
    return response
