"""The servers that a request names for definitions and value sets, and what is read from them.

https://hl7.org/fhir/uv/cpg/OperationDefinition-cpg-plandefinition-apply.html and
https://hl7.org/fhir/uv/crmi/StructureDefinition-crmi-artifact-endpoint-configurable-operation.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepath.apply import data_requirements
from carepath.errors import CarepathError, DefinitionNotFound, InvalidParameter
from carepath.knowledge import Knowledge, KnowledgeWithSent
from carepath.resources import Resource
from carepath.web.operations.call import Call
from carepath.web.operations.definitions import definition_of, wanted_canonical
from carepath.web.operations.sent_definitions import sent_definitions

if TYPE_CHECKING:
    from carepath.web.data_endpoint.artifacts import Route, Wanted

_CONFIGURATION = "artifactEndpointConfiguration"
_NAMES = (_CONFIGURATION, "contentEndpoint", "terminologyEndpoint")
_MOST = 20
"""Servers that one request may name."""


def knowledge_for(call: Call, resource_type: str, inline: str) -> Knowledge:
    """Return what a call works with: what is here, what was sent, and what was read elsewhere.

    Raises InvalidParameter for a server that is not on the list, and what comes of asking.
    """
    base, sent = call.service.knowledge, sent_definitions(call)
    if not any(call.many(name) for name in _NAMES):
        given = call.one(inline) if call.level != "instance" else None
        return call.service.seen.knowledge(sent, given)
    knowledge = KnowledgeWithSent(base, sent) if sent else base
    # The HTTP client is large, and few requests name a server.
    from carepath.web.data_endpoint.artifacts import Artifacts, Wanted  # noqa: PLC0415

    config = call.service.config
    with call.service.gate.wait(), Artifacts(_routes(call), knowledge, config) as artifacts:
        root = _root(call, resource_type, inline, knowledge)
        if root is None:
            wanted = Wanted(wanted_canonical(call), (resource_type,))
            root = artifacts.find(wanted)
        if root is not None:
            artifacts.gather([root])
            made = KnowledgeWithSent(base, (*artifacts.read, *sent))
            artifacts.gather((), _value_sets(root, made, Wanted))
        read = artifacts.read
    return KnowledgeWithSent(base, (*read, *sent)) if read else knowledge


def _root(call: Call, resource_type: str, inline: str, knowledge: Knowledge) -> Resource | None:
    """Return the definition that a call is about, None when a canonical names none that is here."""
    try:
        return definition_of(call, resource_type, inline, knowledge)
    except DefinitionNotFound:
        if call.level == "instance":
            raise
        return None


def _value_sets(root: Resource, knowledge: Knowledge, wanted: type[Wanted]) -> list[Wanted]:
    """Return the value sets that expressions name; none of a definition that cannot be read."""
    try:
        artifacts = data_requirements(root, knowledge)["relatedArtifact"]
    except CarepathError:
        # Whoever applies it is told why.
        return []
    unknown = (a["resource"] for a in artifacts if knowledge.find(a["resource"]) is None)
    return [wanted(canonical, ("ValueSet",)) for canonical in unknown]


def _routes(call: Call) -> list[Route]:
    """Return the servers in the order in which they are asked."""
    from carepath.web.data_endpoint.artifacts import CONTENT, TERMINOLOGY, Route  # noqa: PLC0415

    configured = call.many(_CONFIGURATION)
    if len(configured) > _MOST:
        raise InvalidParameter(_CONFIGURATION, f"given {len(configured)} times", f"{_MOST} at most")
    routes = [_configured(parts) for parts in configured]
    for name, types in (("contentEndpoint", CONTENT), ("terminologyEndpoint", TERMINOLOGY)):
        routes += [Route(name, *_address(name, one), types) for one in call.many(name)]
    return routes


def _configured(parts: dict[str, Any]) -> Route:
    """Return the server that one configuration names, by an Endpoint or by its URL."""
    from carepath.web.data_endpoint.artifacts import Route  # noqa: PLC0415

    given = [name for name in ("endpointUri", "endpoint") if name in parts]
    if len(given) != 1:
        found = " and ".join(given) or None
        raise InvalidParameter(_CONFIGURATION, found, "one of `endpointUri` and `endpoint`")
    endpoint = parts.get("endpoint", {"address": parts.get("endpointUri")})
    base, headers = _address(_CONFIGURATION, endpoint)
    return Route(_CONFIGURATION, base, headers, start=parts.get("artifactRoute", ""))


def _address(name: str, endpoint: Resource) -> tuple[str, dict[str, str]]:
    """Return where a server is, and the headers that say who asks."""
    from carepath.web.data_endpoint.address import address_of, headers_of  # noqa: PLC0415

    return address_of(endpoint, name), headers_of(endpoint, name)
