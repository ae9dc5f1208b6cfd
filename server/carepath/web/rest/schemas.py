"""What the values of parameters in a URL look like, as JSON Schema for the OpenAPI document.

https://spec.openapis.org/oas/v3.0.3#schema-object
"""

from collections.abc import Mapping
from typing import Any

from carepath.apply.request import EXPLAIN, READERS
from carepath.validation.validate import MODES
from carepath.web.http.subset import SUMMARIES
from carepath.web.operations.model import Level, Operation, Parameter
from carepath.web.search.index import parameters
from carepath.web.search.query import TOTALS

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_OBJECT: Schema = {"type": "object"}
_SOMETHING: Schema = {"type": "string", "minLength": 1}
_DATE = (
    r"\d{4}(-(0[1-9]|1[0-2])(-([0-2]\d|3[01])(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_PREFIXED = rf"(eq|ne|gt|lt|ge|le|sa|eb|ap)?{_DATE}"
_COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_GENERAL: Mapping[str, Schema] = {
    "_at": {"type": "string", "pattern": f"^({_DATE})?$"},
    "_count": _COUNT,
    "_elements": _TEXT,
    "_since": {"type": "string", "pattern": f"^({_DATE})?$"},
    "_summary": {"type": "string", "enum": list(SUMMARIES)},
    "_total": {"type": "string", "enum": list(TOTALS)},
}
_OF_TYPE: Mapping[str, Schema] = {
    "date": {"type": "string", "pattern": f"^({_PREFIXED}(,{_PREFIXED})*)?$"},
}
_OF_OPERATION: Mapping[str, Schema] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
}
_OF_PARAMETER: Mapping[str, Schema] = {
    "count": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    "explain": {"type": "string", "enum": list(EXPLAIN)},
    "mode": {"type": "string", "enum": list(MODES)},
    "narrative": {"type": "string", "enum": list(READERS)},
    "offset": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    "useServerData": {"type": "boolean", "enum": [False]},
}
# What has to stand in the URL of a GET, beyond what the OperationDefinition says: there a resource
# or a Coding may stand for it, which only a body can hold.
_IN_URL: Mapping[tuple[str, Level], frozenset[str]] = {
    ("CodeSystem-lookup", "type"): frozenset({"code", "system"}),
    ("CodeSystem-subsumes", "type"): frozenset({"codeA", "codeB", "system"}),
    ("CodeSystem-subsumes", "instance"): frozenset({"codeA", "codeB"}),
    ("Resource-validate", "type"): frozenset({"mode"}),
    ("ValueSet-expand", "type"): frozenset({"url"}),
    ("ValueSet-validate-code", "type"): frozenset({"code", "url"}),
    ("ValueSet-validate-code", "instance"): frozenset({"code"}),
}


def of_search(resource_type: str, name: str) -> Schema:
    """Return what the value of a parameter of a search, a history or a read looks like."""
    if name in _GENERAL:
        return _GENERAL[name]
    known = parameters(resource_type).get(name) if resource_type else None
    return _OF_TYPE.get(known.type, _TEXT) if known is not None else _TEXT


def of_operation(operation: Operation, level: Level, parameter: Parameter, method: str) -> Schema:
    """Return what the value of a parameter of an operation looks like in a URL."""
    if (operation.id, level, method, parameter.name) == (
        "Resource-validate",
        "type",
        "GET",
        "mode",
    ):
        # Everything else looks at a resource, which has no place in a URL.
        return {"type": "string", "enum": ["delete"]}
    found = _OF_PARAMETER.get(parameter.name)
    return found or _OF_OPERATION.get(parameter.type, _SOMETHING)


def is_needed(operation: Operation, level: Level, parameter: Parameter, method: str) -> bool:
    """Tell whether a parameter has to stand in the URL."""
    needed = _IN_URL.get((operation.id, level), frozenset())
    return method == "GET" and (parameter.min > 0 or parameter.name in needed)


OF_CDS_HOOKS: Mapping[str, Schema] = {
    "CdsHooksRequest": {
        "type": "object",
        "required": ["hook", "hookInstance", "context"],
        "properties": {
            "hook": {"type": "string", "example": "patient-view"},
            "hookInstance": _SOMETHING,
            "fhirServer": _SOMETHING,
            "fhirAuthorization": _OBJECT,
            "context": {
                "type": "object",
                "required": ["patientId"],
                "properties": {"patientId": _SOMETHING, "userId": _SOMETHING},
            },
            "prefetch": _OBJECT,
        },
    },
    "CdsHooksFeedback": {
        "type": "object",
        "required": ["feedback"],
        "properties": {
            "feedback": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["card", "outcome", "outcomeTimestamp"],
                    "properties": {
                        "card": _SOMETHING,
                        "outcome": {"type": "string", "enum": ["accepted", "overridden"]},
                        "outcomeTimestamp": {"type": "string", "format": "date-time"},
                    },
                },
            }
        },
    },
}
"""The bodies of CDS Hooks; the whole forms are the JSON Schemas that they are checked by."""
