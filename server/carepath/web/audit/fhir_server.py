"""AuditEvents to a FHIR server.

https://hl7.org/fhir/R4/http.html#create and
https://profiles.ihe.net/ITI/TF/Volume2/ITI-20.html
"""

from pathlib import Path

import httpx

from carepath.errors import CarepathError
from carepath.formats.json import encode
from carepath.resources import Resource
from carepath.web.config import Config, InvalidConfiguration, variable
from carepath.web.data_endpoint.address import is_listed
from carepath.web.data_endpoint.connection import Connection
from carepath.web.http.outcomes import is_success


class FhirServer:
    """A server that keeps AuditEvents; its host is one of those that the deployment lists."""

    def __init__(self, config: Config) -> None:
        """Take the settings; raises InvalidConfiguration."""
        self._config = config
        if not is_listed(httpx.URL(config.audit_fhir), config):
            expected = f"a server whose host `{variable('data_endpoint_hosts')}` lists"
            raise InvalidConfiguration(variable("audit_fhir"), config.audit_fhir, expected)
        try:
            self._headers()
        except (OSError, ValueError) as error:
            name, path = variable("audit_fhir_token"), config.audit_fhir_token
            raise InvalidConfiguration(name, path, "a file with one token in it") from error

    def add(self, event: Resource) -> None:
        """Create an event there, once; raises OSError when it was not, or nobody knows."""
        config = self._config
        try:
            with Connection(config.audit_fhir, config, self._headers(), _never) as connection:
                url = connection.url("AuditEvent")
                status = connection.post(url, encode(event), config.audit_seconds)
        except (httpx.HTTPError, CarepathError, ValueError) as error:
            # A message of theirs may hold what was sent.
            raise OSError(f"the FHIR server cannot be asked ({type(error).__name__})") from error
        if not is_success(status):
            raise OSError(f"the FHIR server answered {status}")

    def _headers(self) -> dict[str, str]:
        """Return who asks; the token is read each time, for it may be renewed.

        Raises OSError, and ValueError where the file holds no token.
        """
        path = self._config.audit_fhir_token
        if not path:
            return {}
        token = Path(path).read_text("ascii").strip()
        if not token.isprintable() or not token or " " in token:
            raise ValueError("no token")
        return {"Authorization": f"Bearer {token}"}


def _never(_: float) -> None:
    """Wait for nothing: an event is sent once."""
