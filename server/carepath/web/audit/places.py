"""The places to which AuditEvents go, as the settings name them.

https://hl7.org/fhir/R4/security.html#audit
"""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from carepath.resources import Resource
from carepath.web.audit.chain import Trail
from carepath.web.audit.syslog import Datagrams, Stream
from carepath.web.config import Config, InvalidConfiguration, variable


class Place(Protocol):
    """Takes AuditEvents."""

    def add(self, event: Resource) -> None:
        """Take an event; raises OSError, and BrokenChain for a file that was changed."""


def places_of(config: Config) -> Iterator[Place]:
    """Yield all places of a deployment; raises InvalidConfiguration."""
    if config.audit_file:
        yield Trail(Path(config.audit_file))
    if config.audit_syslog:
        yield _syslog(config)
    if config.audit_fhir:
        # The HTTP client is large, and few deployments need it.
        from carepath.web.audit.fhir_server import FhirServer  # noqa: PLC0415

        yield FhirServer(config)


def _syslog(config: Config) -> Place:
    address, seconds = config.audit_syslog, config.audit_seconds
    if address.startswith("tls:"):
        return Stream(address, seconds, _trusting(config.audit_syslog_ca))
    return (
        Stream(address, seconds, None)
        if address.startswith("tcp:")
        else Datagrams(address, seconds)
    )


def _trusting(path: str) -> ssl.SSLContext:
    """Return how the certificate of a syslog is checked, its name included."""
    try:
        return ssl.create_default_context(cafile=path or None)
    except OSError as error:
        expected = "a PEM file with certificates"
        raise InvalidConfiguration(variable("audit_syslog_ca"), path, expected) from error
