"""What an error is to the client: said in our own words, with the element that it is about.

https://hl7.org/fhir/R4/operationoutcome.html
"""

import re
from difflib import get_close_matches
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from carepath.errors import SubjectNotFound
from carepath.r4.model import RESOURCE_TYPES
from carepath.resources import Resource
from carepath.web import cors
from carepath.web.definitions import DEFINITION_TYPES
from carepath.web.http.refusals import (
    WHERE_DATA_GO,
    MethodNotAllowed,
    OutOfMemory,
    UnknownEndpoint,
)
from carepath.web.http.urls import FHIR, is_fhir
from carepath.web.operations.model import Operation
from carepath.web.operations.table import operations

_RETRY_AFTER = 10


def explained(error: Exception) -> Exception:
    """Say in our own words what Werkzeug found: an unknown URL, a method that is not possible."""
    if isinstance(error, MemoryError):
        return OutOfMemory(_RETRY_AFTER)
    if isinstance(error, RequestRedirect):
        return UnknownEndpoint(_NOTHING)
    if not isinstance(error, HTTPException):
        return error
    meaning = _EXPLANATIONS.get(type(error).__name__)
    return meaning(error) if meaning else error


def _not_found(_error: HTTPException) -> Exception:
    if not is_fhir(request.path):
        return UnknownEndpoint(_NOTHING)
    steps = _steps()
    return UnknownEndpoint(next(filter(None, (hint(steps) for hint in _HINTS)), _NOTHING))


def _steps() -> list[str]:
    return request.path.removeprefix(FHIR).removeprefix("/").removesuffix("/").split("/")


def _empty_step(steps: list[str]) -> str:
    return "The URL has two slashes where one may stand." if "" in steps else ""


def _operation(steps: list[str]) -> str:
    """Tell how an operation is called that is not here, or not at this place."""
    name = steps[-1].removeprefix("$")
    if steps[-1] == "$process-message":
        return f"Messages are not processed here. {WHERE_DATA_GO}"
    places = [path for operation in operations() for path in _places(operation, name)]
    if not places:
        if "$" not in steps[-1]:
            return ""
        near = get_close_matches(name, [operation.code for operation in operations()], n=1)
        meant = f" Was `${near[0]}` meant?" if near else ""
        return f"There is no operation `${name}` here; see `metadata`.{meant}"
    if steps[-1] == name:
        return f"The name of an operation begins with `$`: {', '.join(places)}."
    return f"The operation `${name}` is not here but at {', '.join(places)}."


def _places(operation: Operation, name: str) -> list[str]:
    """Return where an operation of this name can be called, for people."""
    if operation.code != name:
        return []
    paths = (path for _, _, path in operation.paths())
    return [f"`{_ARGUMENT.sub(_word, path).removeprefix('/')}`" for path in paths]


def _word(argument: re.Match[str]) -> str:
    return "[type]" if argument[1] == "resource_type" else "[id]"


def _history(steps: list[str]) -> str:
    if steps[-1] == "_history" and len(steps) < _OF_ONE:
        return "There is a history of one definition: `[type]/[id]/_history`."
    return ""


def _type(steps: list[str]) -> str:
    """Tell what there is instead of a resource of this type."""
    name = steps[0]
    if name in DEFINITION_TYPES:
        return f"There is nothing at this URL below `{name}`; see `metadata`."
    if name not in RESOURCE_TYPES:
        by_name = {known.lower(): known for known in DEFINITION_TYPES}
        near = get_close_matches(name.lower(), list(by_name), n=1, cutoff=_ALIKE)
        return f"There is nothing at this URL. Was `{by_name[near[0]]}` meant?" if near else ""
    made = "; a CarePlan is the answer of `PlanDefinition/[id]/$apply`"
    instead = made if name == "CarePlan" else ""
    return f"This service has no `{name}` to offer at this URL{instead}; see `metadata`."


_NOTHING = "There is nothing at this URL."
_OF_ONE = 3
_ALIKE = 0.85
_AT_THE_BASE = "`metadata` tells what there is; a Bundle of type `batch` may be posted."
_ARGUMENT = re.compile(r"<\w+:(\w+)>")
_HINTS = (_empty_step, _operation, _history, _type)
"""What may be meant by a URL at which there is nothing; the first that knows tells it."""


def _not_allowed(_error: HTTPException) -> Exception:
    advice = ""
    if is_fhir(request.path):
        steps = _steps()
        is_read = request.method == "GET"
        advice = _operation(steps) if steps != [""] else _AT_THE_BASE if is_read else ""
    return MethodNotAllowed(request.method, cors.methods(), advice)


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
