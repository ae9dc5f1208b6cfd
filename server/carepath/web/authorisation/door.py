"""The door of a deployment: whether it has a guard, and whether it may do without one.

https://hl7.org/fhir/R4/security.html
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from flask import current_app

from carepath.web.authorisation.rights import EVERYTHING, Grant, Need
from carepath.web.config import Config, InvalidConfiguration, variable

if TYPE_CHECKING:
    from carepath.web.authorisation.guard import Guard

EXTENSION = "carepath-guard"


def guard_of(config: Config) -> "Guard | None":
    """Return the guard of a deployment, None where everybody may do everything.

    It is made before the workers are forked: they share its key and its tables.  Raises
    InvalidRegistry and InvalidConfiguration.
    """
    if not config.authorisation:
        return None
    # The libraries for keys and for asking elsewhere are large, and many deployments need none.
    from carepath.web.authorisation import deployment  # noqa: PLC0415

    return deployment.guard_of(config)


def current() -> "Guard | None":
    """Return the guard of the service that answers this request."""
    guard: Guard | None = current_app.extensions[EXTENSION]
    return guard


def admitted(needed: Need | None, arguments: Mapping[str, Any], environ: Any) -> Grant:
    """Return who asks for a route; raises LoginRequired, NotAllowed and TooManyRequests."""
    guard = current()
    return EVERYTHING if guard is None else guard.admit(needed, arguments, environ)


def refuse_open_door(config: Config) -> None:
    """Raise InvalidConfiguration where everybody could do everything, and nobody said so."""
    if config.authorisation or config.open_to_all or is_loopback(config.host):
        return
    expected = (
        "an address of this machine only, such as `127.0.0.1`; or name a registry of clients by "
        f"`{variable('authorisation')}`; or set `{variable('open_to_all')}=true`, by which "
        "whoever reaches the port may do everything"
    )
    raise InvalidConfiguration(variable("host"), config.host, expected)


def is_loopback(host: str) -> bool:
    """Tell whether nobody on another machine reaches an address."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
