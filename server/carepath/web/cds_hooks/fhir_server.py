"""What the prefetch does not bring, read from the FHIR server of the CDS Client.

https://cds-hooks.hl7.org/2.0/#fhir-resource-access

A server is asked with the token of the call only, and only when the deployment lists its host: the
same list, limits and guards hold as for a data endpoint.
"""

from collections.abc import Mapping

from carepath.errors import InvalidParameter
from carepath.issues import Issue
from carepath.web.authorisation.grants import demand
from carepath.web.authorisation.rights import Right
from carepath.web.cds_hooks.prefetch import Sent, filled
from carepath.web.cds_hooks.request import HookRequest, refuse
from carepath.web.data_endpoint.reader import DataEndpoint
from carepath.web.http.refusals import DataEndpointFailed, DataEndpointRefused, NoData
from carepath.web.service import Service

_SERVER = "fhirServer"
_ACCESS = "fhirAuthorization.access_token"


def read_missing(
    request: HookRequest, queries: Mapping[str, str], reasons: Mapping[str, str], service: Service
) -> list[Sent]:
    """Return what the client's server holds for the keys that its prefetch does not bring.

    `reasons` says why not, by key.  Raises NoData, which names the keys, when the server may not be
    asked or does not answer.
    """
    if not request.fhir_server or not request.token:
        raise _none(reasons, "no `fhirServer` with `fhirAuthorization` is given")
    if not _is_sendable(request.token):
        told = f"`{_ACCESS}` should be a token of printable ASCII characters."
        refuse((Issue("error", "value", told, (_ACCESS,)),))
    # The caller names a server: a right of its own, as a data endpoint is.
    demand(Right.DATA_ENDPOINT)
    headers = {"Authorization": f"Bearer {request.token}"}
    wanted = {key: filled(queries[key], request.patient) for key in reasons}
    try:
        endpoint = DataEndpoint(request.fhir_server, service.config, headers, parameter=_SERVER)
        with service.gate.wait():
            found = endpoint.answers(wanted)
    except InvalidParameter as error:
        raise _none(reasons, "`fhirServer` is no server that this service may ask") from error
    except (DataEndpointFailed, DataEndpointRefused) as error:
        raise _none(reasons, str(error).rstrip(".")) from error
    return [Sent(resource, _SERVER) for several in found.values() for resource in several]


def _none(reasons: Mapping[str, str], why: str) -> NoData:
    """Return the error with an issue for each key that brings no data."""
    return NoData(
        [
            Issue("error", "incomplete", f"`prefetch.{key}` {reason}; {why}.", (f"prefetch.{key}",))
            for key, reason in reasons.items()
        ]
    )


def _is_sendable(token: str) -> bool:
    return token.isascii() and token.isprintable() and " " not in token
