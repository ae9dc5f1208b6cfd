"""What a client learns before it logs in: where tokens are made out, and what it may ask for.

https://hl7.org/fhir/smart-app-launch/STU2.1/conformance.html and
https://hl7.org/fhir/R4/valueset-restful-security-service.html
"""

from typing import TYPE_CHECKING, Any

from carepath.resources import Resource

if TYPE_CHECKING:
    from carepath.web.authorisation.registry import Registry

GRANT_TYPE = "client_credentials"
SMART = ("ES384", "RS384")
"""What clients sign with."""
TOKEN, INTROSPECTION = "/auth/token", "/auth/introspect"
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SERVICES = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_SCOPES = ("system/*.rs", "system/PlanDefinition.rs", "system/ActivityDefinition.rs",
           "system/Library.rs", "system/ValueSet.rs", "system/CodeSystem.rs")  # fmt: skip


def smart_configuration(root: str) -> dict[str, Any]:
    """Return the document for clients; `root` is the address of the service without `/fhir`."""
    return {
        "token_endpoint": root + TOKEN,
        "introspection_endpoint": root + INTROSPECTION,
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(SMART),
        "scopes_supported": list(_SCOPES),
        # Must be there, although nobody authorises in a browser here.
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    }


def rest_security(registry: "Registry", root: str) -> Resource:
    """Return CapabilityStatement.rest.security: the ways that some client of the registry has."""
    clients, has_tokens = registry.clients, registry.gives_tokens
    ways = {
        "SMART-on-FHIR": has_tokens,
        "OAuth": has_tokens or bool(registry.issuers),
        "Basic": any(client.password for client in clients),
        "Certificates": any(client.certificate for client in clients),
    }
    services = [{"coding": [{"system": _SERVICES, "code": code}]} for code in ways if ways[code]]
    security: Resource = {
        "cors": True,
        "description": "Scopes of SMART 2; the manual of security lists what each route needs.",
    }
    if services:
        security["service"] = services
    if has_tokens:
        uris = [("token", root + TOKEN), ("introspect", root + INTROSPECTION)]
        parts = [{"url": name, "valueUri": uri} for name, uri in uris]
        security = {"extension": [{"url": _OAUTH_URIS, "extension": parts}], **security}
    return security
