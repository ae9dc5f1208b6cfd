"""A resource as JSON text, for what a look at the text tells sooner than a walk.

https://hl7.org/fhir/R4/json.html
"""

from typing import Any

from carepath.formats.json import encode


def text_of(resource: Any) -> bytes | None:
    """Return a resource as text, None where JSON cannot carry it: no text was decoded to it."""
    try:
        return encode(resource)
    except (TypeError, ValueError, RecursionError):
        return None
