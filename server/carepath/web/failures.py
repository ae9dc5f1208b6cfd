"""What an error is to the client: said in our own words, with the element that it is about.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from carepath.errors import SubjectNotFound
from carepath.r4.model import RESOURCE_TYPES
from carepath.resources import Resource
from carepath.web import cors
from carepath.web.http.refusals import MethodNotAllowed, OutOfMemory, UnknownEndpoint
from carepath.web.http.urls import FHIR

_RETRY_AFTER = 10


def explained(error: Exception) -> Exception:
    """Say in our own words what Werkzeug found: an unknown URL, a method that is not possible."""
    if isinstance(error, MemoryError):
        return OutOfMemory(_RETRY_AFTER)
    if isinstance(error, RequestRedirect):
        return UnknownEndpoint("There is nothing at this URL.")
    if not isinstance(error, HTTPException):
        return error
    meaning = _EXPLANATIONS.get(type(error).__name__)
    return meaning(error) if meaning else error


def _not_found(_error: HTTPException) -> Exception:
    if request.path.rstrip("/") == FHIR:
        return MethodNotAllowed(request.method, ("OPTIONS",))
    first = request.path.removeprefix(FHIR).strip("/").partition("/")[0]
    if not request.path.startswith(FHIR) or first not in RESOURCE_TYPES:
        return UnknownEndpoint("There is nothing at this URL.")
    return UnknownEndpoint(f"This service has no `{first}` to offer at this URL; see `metadata`.")


def _not_allowed(_error: HTTPException) -> Exception:
    return MethodNotAllowed(request.method, cors.methods())


_EXPLANATIONS = {"NotFound": _not_found, "MethodNotAllowed": _not_allowed}


def elements_of(error: Exception, sent: Resource | None) -> tuple[str, ...]:
    """Return the FHIRPath of the parameter that an error is about, `http.name` for the URL's."""
    name = "subject" if isinstance(error, SubjectNotFound) else getattr(error, "name", "")
    if not name or isinstance(error, HTTPException):
        return ()
    if name in request.args:
        return (f"http.{name}",)
    return element_of(sent, name)


def element_of(sent: Resource | None, name: str) -> tuple[str, ...]:
    """Return the FHIRPath of a parameter in what was sent, or where it is missing."""
    if sent is None:
        return (f"http.{name}",)
    if sent.get("resourceType") != "Parameters":
        return (str(sent.get("resourceType")),)
    place, slot = "Parameters", "parameter"
    parts: Any = sent.get("parameter")
    for step in (name,) if _indices(parts, name) else name.split("."):
        found = _indices(parts, step)
        if not found:
            break
        place, slot, parts = f"{place}.{slot}[{found[0]}]", "part", parts[found[0]].get("part")
    return (place if slot == "part" else "Parameters.parameter",)


def _indices(parts: Any, name: str) -> list[int]:
    """Return where parameters of a name stand."""
    return [
        index
        for index, part in enumerate(parts if isinstance(parts, list) else ())
        if isinstance(part, dict) and part.get("name") == name
    ]
