"""The guard of a deployment, put together from its settings and its registry.

https://hl7.org/fhir/smart-app-launch/STU2.1/backend-services.html
"""

from pathlib import Path

from carepath.web.authorisation.backend_services import TokenEndpoint
from carepath.web.authorisation.cds_client import CdsClients
from carepath.web.authorisation.credentials import Passwords
from carepath.web.authorisation.guard import Guard
from carepath.web.authorisation.outside import Outside
from carepath.web.authorisation.rates import Rates
from carepath.web.authorisation.registry import read_registry
from carepath.web.authorisation.replay import Used
from carepath.web.authorisation.shared_times import SharedTimes
from carepath.web.authorisation.smart_configuration import TOKEN
from carepath.web.authorisation.tokens import Tokens, token_key
from carepath.web.config import Config, InvalidConfiguration, variable
from carepath.web.http.urls import root_of

_CLIENTS = 16_384
_ASSERTIONS = 65_536
_USED = "used-assertions"


def guard_of(config: Config) -> Guard:
    """Return the guard of a deployment that has a registry.

    Raises InvalidRegistry and InvalidConfiguration.
    """
    registry = read_registry(Path(config.authorisation))
    if registry.has_keys and not config.base_url:
        # Else the address would be what the caller says that it is.
        expected = "the address of the service, to which tokens are made out"
        raise InvalidConfiguration(variable("base_url"), config.base_url, expected)
    state = Path(config.authorisation_state) if config.authorisation_state else None
    base = config.base_url.rstrip("/")
    tokens = Tokens(registry, base, token_key(state))
    used = Used(SharedTimes(_ASSERTIONS, state / _USED if state else None))
    return Guard(
        config=config,
        registry=registry,
        passwords=Passwords(),
        tokens=tokens,
        outside=Outside(registry.issuers),
        rates=Rates(SharedTimes(_CLIENTS)),
        cds_clients=CdsClients(registry.cds_clients, used),
        token_endpoint=TokenEndpoint(registry, tokens, used, root_of(base) + TOKEN),
    )
