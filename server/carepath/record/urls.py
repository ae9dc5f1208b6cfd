"""What a URL or a reference text names: one spelling of each, its server, its type and id.

https://hl7.org/fhir/R4/references.html#literal and https://hl7.org/fhir/R4/http.html#trules
"""

from typing import NamedTuple
from urllib.parse import parse_qsl

from carepath.r4.model import RESOURCE_TYPES

_URN = ("urn:uuid:", "urn:oid:")
_HTTP = ("http://", "https://")


class Search(NamedTuple):
    """A conditional reference: the one resource of a type that a search finds."""

    type: str
    criteria: tuple[tuple[str, str], ...]


def normal(url: str) -> str:
    """Return the one spelling of a URL: no version, scheme, host and URN in lower case."""
    url = url.strip().partition("/_history/")[0]
    scheme, separator, rest = url.partition("://")
    if separator:
        host, slash, path = rest.partition("/")
        return f"{scheme.lower()}://{host.lower()}{slash}{path.rstrip('/')}"
    return url.lower() if is_urn(url) else url


def is_http(url: str) -> bool:
    """Tell whether a URL is an address on a server."""
    return url[:8].lower().startswith(_HTTP)


def is_urn(url: str) -> bool:
    """Tell whether a URL is a name that says nothing of a server."""
    return url[:9].lower().startswith(_URN)


def type_and_id(name: str) -> tuple[str, str]:
    """Return type and id at the end of a normal URL or relative reference, else two empty texts."""
    before, _, id_ = name.rpartition("/")
    resource_type = before.rpartition("/")[2]
    if resource_type in RESOURCE_TYPES and id_:
        return resource_type, id_
    return "", ""


def server_of(full_url: str) -> str:
    """Return the base URL of the server that a full URL is an address on, else an empty text."""
    if not is_http(full_url):
        return ""
    name = normal(full_url)
    return name.rsplit("/", 2)[0] if type_and_id(name)[0] else ""


def search_in(text: str) -> Search | None:
    """Return the search of a conditional reference, relative or absolute; None when it is none."""
    before, mark, query = text.partition("?")
    resource_type = before.strip().rstrip("/").rpartition("/")[2]
    if not mark or resource_type not in RESOURCE_TYPES:
        return None
    return Search(resource_type, tuple(parse_qsl(query, keep_blank_values=True)))
