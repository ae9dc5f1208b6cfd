"""What the service itself refuses, before or beside the engine: limits, load, unknown doors."""

from dataclasses import dataclass, field

from carepath.errors import InputError


@dataclass(eq=False)
class TooLarge(InputError):
    """The request exceeds a limit of this deployment."""

    what: str
    limit: int
    element: str = ""

    def __str__(self) -> str:
        return f"{self.what} is larger than this service allows ({self.limit})."


@dataclass(eq=False)
class UrlTooLong(InputError):
    """The path and query exceed the limit."""

    limit: int

    def __str__(self) -> str:
        return f"The URL is longer than {self.limit} bytes; use POST, or `_search` for a search."


@dataclass(eq=False)
class TooSlow(InputError):
    """The client stopped sending in the middle of a body."""

    seconds: float

    def __str__(self) -> str:
        return f"Nothing of the body came for {self.seconds:g} seconds."


@dataclass(eq=False)
class TooCostly(InputError):
    """An operation was stopped because it took too long; sending it again will not help."""

    seconds: float

    def __str__(self) -> str:
        return f"The operation was stopped after {self.seconds:g} seconds; send less data at once."


@dataclass(eq=False)
class UnsupportedParameter(InputError):
    """A parameter that the specification knows and this service does not support."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"The parameter `{self.name}` is not supported: {self.reason}."


@dataclass(eq=False)
class UnknownParameter(InputError):
    """A parameter that the operation does not have."""

    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        known = ", ".join(f"`{name}`" for name in self.known) or "none"
        return f"The parameter `{self.name}` is unknown; this operation takes {known}."


@dataclass(eq=False)
class UnsupportedSearch(InputError):
    """A search that would answer something else than was asked: a modifier, a value, a sort."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"The search parameter `{self.name}` cannot be used: {self.reason}."


@dataclass(eq=False)
class UnknownEndpoint(InputError):
    """There is nothing at this URL."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class MethodNotAllowed(InputError):
    """The URL exists and does not take this method."""

    method: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        return f"`{self.method}` is not possible here; possible: {', '.join(self.allowed)}."


@dataclass(eq=False)
class TooManyRequests(InputError):
    """One client sends more than its share."""

    retry_after: int

    def __str__(self) -> str:
        return f"Too many requests; send again after {self.retry_after} seconds."


@dataclass(eq=False)
class Busy(InputError):
    """As many operations run as this service allows at once."""

    retry_after: int

    def __str__(self) -> str:
        return f"The service is busy; send again after {self.retry_after} seconds."


@dataclass(eq=False)
class DataEndpointFailed(InputError):
    """The FHIR server named as data endpoint cannot be read."""

    host: str
    reason: str
    retry_after: int = field(default=10)

    def __str__(self) -> str:
        return f"The data endpoint `{self.host}` cannot be read: {self.reason}."


@dataclass(eq=False)
class DataEndpointRefused(InputError):
    """The FHIR server named as data endpoint does not give what is needed, and will not later."""

    host: str
    reason: str

    def __str__(self) -> str:
        return f"The data endpoint `{self.host}` cannot be used: {self.reason}."
