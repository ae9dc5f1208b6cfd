"""One route: a URL pattern, its methods, and what is known of it before anybody calls.

https://hl7.org/fhir/R4/http.html#summary
"""

from collections.abc import Callable
from typing import NamedTuple

from flask import Response

from carepath.web.authorisation.rights import Need
from carepath.web.operations.model import Level, Operation

View = Callable[..., Response]


class Route(NamedTuple):
    """One URL pattern with its methods."""

    methods: tuple[str, ...]
    rule: str
    """The pattern, which is also what logs and metrics call the endpoint."""
    name: str
    view: View
    about: str
    is_open: bool = False
    """Whether a page from any web origin may read it."""
    resource_type: str = ""
    operation: Operation | None = None
    level: Level = "type"
    needs: Need | None = None
    """What the guard asks of a client; None is closed to everybody where there is a guard."""
    body: str = ""
    """What the OpenAPI document calls the form of a body that is no FHIR resource."""
