"""Definitions that come with a request: for that request they come before those that are loaded.

https://hl7.org/fhir/R4/operations.html#executing
"""

from carepath.errors import InvalidParameter
from carepath.resources import Resource, canonical_of
from carepath.web.definitions import DEFINITION_TYPES
from carepath.web.http.refusals import TooLarge
from carepath.web.operations.call import Call

NAME = "definitions"
MOST = 200
"""Definitions that one request may bring; their size is bounded with that of the body."""


def sent_definitions(call: Call) -> tuple[Resource, ...]:
    """Return the definitions that a request brings.

    Raises InvalidParameter for what is no definition or comes in two forms, and TooLarge for too
    many.
    """
    bundles = call.many(NAME)
    entries = [entry for bundle in bundles for entry in bundle.get("entry") or ()]
    if len(entries) > MOST:
        raise TooLarge("The number of definitions in the request", MOST, "Parameters.parameter")
    found: dict[tuple[str, str], Resource] = {}
    for entry in entries:
        definition = _definition(entry)
        key = (definition["resourceType"], canonical_of(definition))
        if found.setdefault(key, definition) != definition:
            # Which of them is meant nobody knows, and a guess would change the plan.
            given = f"{key[0]} `{key[1]}` twice, with different contents"
            raise InvalidParameter(NAME, given, "each definition once")
    return tuple(found.values())


def _definition(entry: object) -> Resource:
    """Return the definition in an entry of a Bundle."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    found = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(resource, dict) or found not in DEFINITION_TYPES:
        expected = "a Bundle of definitions such as PlanDefinition and Library"
        raise InvalidParameter(NAME, found or "an entry without a resource", expected)
    if not isinstance(resource.get("url"), str):
        raise InvalidParameter(NAME, f"a {found} without url", "definitions with a canonical URL")
    return resource
