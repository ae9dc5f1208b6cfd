"""The OpenAPI document, made from the route table.

https://spec.openapis.org/oas/v3.0.3
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from carepath.web.operations.model import Level, Operation, Parameter
from carepath.web.rest import history, schemas
from carepath.web.rest.batch import MOST_ENTRIES
from carepath.web.rest.route import Route
from carepath.web.search.index import parameters as search_parameters
from carepath.web.search.query import RESULT_PARAMETERS

_ARGUMENT = re.compile(r"<(\w+):(\w+)>")
_FHIR_JSON = "application/fhir+json"
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_RESOURCE = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string"}},
}
_AUTHORISATION = "/auth/"
_WELL_KNOWN = "/.well-known/"
_SCHEMES = {name: {"type": "http", "scheme": name} for name in ("basic", "bearer")}
_LOGINS: list[dict[str, list[str]]] = [{name: []} for name in _SCHEMES]
_OUTCOME = {"$ref": "#/components/schemas/OperationOutcome"}
_SCHEMAS: dict[str, Any] = {
    "Resource": _RESOURCE,
    "Parameters": {
        "type": "object",
        "required": ["resourceType"],
        "properties": {
            "resourceType": {"type": "string", "enum": ["Parameters"]},
            "parameter": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "valueString": {"type": "string"},
                        "resource": {"$ref": "#/components/schemas/Resource"},
                    },
                },
            },
        },
    },
    "Batch": {
        "type": "object",
        "required": ["resourceType", "type"],
        "properties": {
            "resourceType": {"type": "string", "enum": ["Bundle"]},
            "type": {"type": "string", "enum": ["batch"]},
            "entry": {"type": "array", "maxItems": MOST_ENTRIES, "items": {"type": "object"}},
        },
    },
    "OperationOutcome": {
        "type": "object",
        "required": ["resourceType", "issue"],
        "properties": {
            "resourceType": {"type": "string", "enum": ["OperationOutcome"]},
            "issue": {"type": "array", "minItems": 1, "items": {"type": "object"}},
        },
    },
}
_SCHEMAS |= schemas.OF_CDS_HOOKS
_ARGUMENT_SCHEMAS = {
    "fhir_id": {"type": "string", "pattern": r"^[A-Za-z0-9.\-]{1,64}$"},
    "service_id": {"type": "string", "pattern": r"^[A-Za-z0-9.\-]{1,128}$"},
    "resource_type": {"type": "string", "pattern": "^[A-Z][A-Za-z]+$", "example": "Patient"},
}


def document(routes: Iterable[Route], server: str, examples: Mapping[str, str]) -> dict[str, Any]:
    """Return the OpenAPI document of all routes under a server address.

    `examples` holds an id that is there for each type of definition.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operations = paths.setdefault(_ARGUMENT.sub(r"{\2}", route.rule), {})
        for method in route.methods:
            operations[method.lower()] = _operation(route, method, examples)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Carepath", "version": version("carepath")},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS},
    }


def with_logins(made: dict[str, Any], routes: Iterable[Route]) -> dict[str, Any]:
    """Return the document of a service that asks who calls: how, and of which routes."""
    closed = [route for route in routes if route.needs is None or not route.needs.is_open]
    paths = {path: dict(methods) for path, methods in made["paths"].items()}
    for route in closed:
        methods = paths[_ARGUMENT.sub(r"{\2}", route.rule)]
        for method in route.methods:
            methods[method.lower()] = {**methods[method.lower()], "security": _LOGINS}
    components = {**made["components"], "securitySchemes": _SCHEMES}
    return {**made, "paths": paths, "components": components}


def _operation(route: Route, method: str, examples: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": f"{route.name}.{method.lower()}",
        "summary": f"{route.about} {route.resource_type}".strip(),
        "parameters": [*_in_path(route, examples), *_in_query(route, method)],
        "responses": _responses(route),
    }
    if method == "POST":
        found["requestBody"] = _body(route)
    return found


def _in_path(route: Route, examples: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for kind, name in _ARGUMENT.findall(route.rule):
        found = {"name": name, "in": "path", "required": True, "schema": _ARGUMENT_SCHEMAS[kind]}
        if name == "id" and route.resource_type in examples:
            found["example"] = examples[route.resource_type]
        yield found


def _in_query(route: Route, method: str) -> Iterator[dict[str, Any]]:
    """Yield what may stand in the query: search parameters, simple operation parameters."""
    if route.operation is not None:
        for parameter in _simple(route.operation, route.level):
            place = (route.operation, route.level, parameter, method)
            yield {
                "name": parameter.name,
                "in": "query",
                "required": schemas.is_needed(*place),
                "schema": schemas.of_operation(*place),
            }
    elif route.resource_type and method == "GET":
        for name in _names(route):
            schema = schemas.of_search(route.resource_type, name)
            yield {"name": name, "in": "query", "schema": schema}


def _names(route: Route) -> tuple[str, ...]:
    if route.rule.endswith("/_history"):
        return history.PARAMETERS
    if "<" in route.rule:
        return ("_summary", "_elements")
    return (*search_parameters(route.resource_type), *RESULT_PARAMETERS)


def _simple(operation: Operation, level: Level) -> list[Parameter]:
    return [p for p in operation.supported(level) if p.is_simple]


def _body(route: Route) -> dict[str, Any]:
    if route.rule.startswith(_AUTHORISATION):
        return {"content": {_FORM: {"schema": {"type": "object"}}}}
    if route.body:
        return {"content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{route.body}"}}}}
    if route.operation is None:
        if not route.resource_type:
            return {"content": {_FHIR_JSON: {"schema": {"$ref": "#/components/schemas/Batch"}}}}
        properties = {name: schemas.of_search(route.resource_type, name) for name in _names(route)}
        return {"content": {_FORM: {"schema": {"type": "object", "properties": properties}}}}
    name = "Resource" if route.operation.terms.bare else "Parameters"
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"content": {_FHIR_JSON: {"schema": schema}}}


def _responses(route: Route) -> dict[str, Any]:
    if route.rule.startswith(_AUTHORISATION) or _WELL_KNOWN in route.rule:
        told = {"application/json": {"schema": {"type": "object"}}}
        return {
            "200": {"description": "The answer.", "content": told},
            "default": {"description": "What went wrong, or nothing is there without clients."},
        }
    if not route.rule.startswith("/fhir"):
        return {"200": {"description": "The answer."}}
    fine = {_FHIR_JSON: {"schema": {"$ref": "#/components/schemas/Resource"}}}
    wrong = {_FHIR_JSON: {"schema": _OUTCOME}}
    return {
        "200": {"description": "The resource.", "content": fine},
        "default": {"description": "What went wrong.", "content": wrong},
    }
