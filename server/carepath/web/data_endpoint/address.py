"""Where a data endpoint is, who asks there, and whether it may be asked at all.

https://hl7.org/fhir/R4/endpoint.html
"""

import httpx

from carepath.addresses import origin, plain_url, stands_in
from carepath.errors import InvalidParameter
from carepath.resources import Resource
from carepath.web.config import Config

_AUTHORIZATION = "authorization"


def address_of(endpoint: Resource, parameter: str = "dataEndpoint") -> str:
    """Return the address in an Endpoint resource, which a parameter holds."""
    address = endpoint.get("address")
    if not isinstance(address, str) or plain_url(address) is None:
        expected = "an Endpoint whose address is a plain http(s) URL"
        raise InvalidParameter(parameter, address, expected)
    return address


def headers_of(endpoint: Resource, parameter: str = "dataEndpoint") -> dict[str, str]:
    """Return the headers that an Endpoint wants to be sent: who asks, and nothing else."""
    headers: dict[str, str] = {}
    given = endpoint.get("header")
    for line in given if isinstance(given, list) else ():
        name, sign, value = str(line).partition(":")
        value = value.strip()
        if not sign or name.strip().lower() != _AUTHORIZATION or not _is_sendable(value):
            # What was given may be a secret.
            expected = "`Authorization: ...` as the only header of an Endpoint"
            raise InvalidParameter(parameter, "an Endpoint with other headers", expected)
        headers["Authorization"] = value
    return headers


def _is_sendable(value: str) -> bool:
    return value.isascii() and value.isprintable()


def is_listed(url: httpx.URL, config: Config) -> bool:
    """Tell whether a server may be asked: its host is listed, or it is the deployment's own."""
    own = plain_url(config.data_endpoint)
    is_own = own is not None and origin(own) == origin(url)
    return is_own or stands_in(url, config.data_endpoint_hosts)
