"""Which parameters of operations need a right of their own, whatever scope the client has.

https://hl7.org/fhir/R4/operationdefinition.html

The table is by name; a test holds it to the definitions of all operations.
"""

from collections.abc import Iterable

from carepath.web.authorisation.grants import demand
from carepath.web.authorisation.rights import Right

RIGHTS = {
    **dict.fromkeys(
        ("planDefinition", "activityDefinition", "definitions", "valueSet", "codeSystem"),
        Right.INLINE_DEFINITIONS,
    ),
    **dict.fromkeys(
        ("dataEndpoint", "contentEndpoint", "terminologyEndpoint", "artifactEndpointConfiguration"),
        Right.DATA_ENDPOINT,
    ),
    "profile": Right.PROFILES,
}
"""The right that a parameter needs; those that are not here need none."""
_CHECKED = "StructureDefinition"


def refuse_parameters(names: Iterable[str]) -> None:
    """Raise NotAllowed when a parameter needs a right that the client does not have."""
    demand(*dict.fromkeys(RIGHTS[name] for name in names if name in RIGHTS))


def refuse_reading() -> None:
    """Raise NotAllowed when the client may not let the service read from another server."""
    demand(Right.DATA_ENDPOINT)


def refuse_profile(resource_type: str) -> None:
    """Raise NotAllowed when a profile is sent to be checked and the client may not do that."""
    if resource_type == _CHECKED:
        demand(Right.PROFILES)
