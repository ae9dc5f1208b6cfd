"""What the service itself refuses, before or beside the engine: limits, load, unknown endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from carepath.errors import InputError, InvalidParameter
from carepath.issues import Issue


@dataclass(eq=False)
class TooLarge(InputError):
    """The request exceeds a limit of this deployment."""

    sentence = "{what} is larger than this service allows ({limit})."
    what: str
    limit: int
    element: str = ""


@dataclass(eq=False)
class UrlTooLong(InputError):
    """The path and query exceed the limit."""

    sentence = "The URL is longer than {limit} bytes; use POST, or `_search` for a search."
    limit: int


@dataclass(eq=False)
class UnsupportedTransferCoding(InputError):
    """A body comes in a transfer coding that is not undone here."""

    sentence = "A body may come with `Transfer-Encoding: chunked`, and with no other coding."


@dataclass(eq=False)
class TooCostly(InputError):
    """An operation was stopped because it took too long; sending it again will not help."""

    sentence = "The operation was stopped after {seconds:g} seconds; send less data at once."
    seconds: float


@dataclass(eq=False)
class UnsupportedParameter(InputError):
    """A parameter that the specification knows and this service does not support."""

    sentence = "The parameter `{name}` is not supported: {reason}."
    name: str
    reason: str


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

    sentence = "The search parameter `{name}` cannot be used: {reason}."
    name: str
    reason: str


@dataclass(eq=False)
class UnsupportedBundle(InputError):
    """What was sent to the base is no batch."""

    kind: str

    def __str__(self) -> str:
        about = _OTHER_BUNDLES.get(self.kind, WHERE_DATA_GO)
        return f"What was sent is `{self.kind}`; here is room for a Bundle of type `batch`. {about}"


WHERE_DATA_GO = (
    "Data of a patient go to `PlanDefinition/[id]/$apply`, those of many to `$apply-pathways`; "
    "a resource to be checked goes to `[type]/$validate`."
)
_OTHER_BUNDLES = {
    "transaction": (
        "This service stores nothing, so that nothing can be done as one transaction: send reads "
        "and operations as a `batch`. " + WHERE_DATA_GO
    ),
    "message": "Messages are not processed here. " + WHERE_DATA_GO,
}


@dataclass(eq=False)
class NotInBatch(InputError):
    """An entry of a batch was not carried out, because of those before; it may be sent again."""

    sentence = "The entry was not carried out: {reason}; send it again."
    reason: str


@dataclass(eq=False)
class NestedBatch(InputError):
    """An entry of a batch is another batch."""

    sentence = "A batch may not hold another one; send its entries in one batch."


@dataclass(eq=False)
class NoPatient(InvalidParameter):
    """There is nobody to apply a plan to."""

    def __str__(self) -> str:
        return f"There is no Patient in the parameter `{self.name}`; expected {self.expected}."


@dataclass(eq=False)
class UnknownEndpoint(InputError):
    """There is nothing at this URL."""

    sentence = "{reason}"
    reason: str


@dataclass(eq=False)
class MethodNotAllowed(InputError):
    """The URL exists and does not take this method."""

    method: str
    allowed: tuple[str, ...]
    advice: str = ""
    """What may have been meant."""

    def __str__(self) -> str:
        told = f"`{self.method}` is not possible here; possible: {', '.join(self.allowed)}."
        return f"{told} {self.advice}" if self.advice else told


@dataclass(eq=False)
class TooManyRequests(InputError):
    """One client sends more than its share."""

    sentence = "Too many requests; send again after {retry_after} seconds."
    retry_after: int


@dataclass(eq=False)
class Busy(InputError):
    """As many operations run as this service allows at once."""

    sentence = "The service is busy; send again after {retry_after} seconds."
    retry_after: int


@dataclass(eq=False)
class OutOfMemory(InputError):
    """There was no memory left for a request; what it had taken is free again."""

    sentence = "The service has no memory left for this; send again after {retry_after} seconds."
    retry_after: int


@dataclass(eq=False)
class DataEndpointFailed(InputError):
    """A FHIR server that a request names, mostly as data endpoint, cannot be read."""

    sentence = "The {called} `{host}` cannot be read: {reason}."
    host: str
    reason: str
    retry_after: int = field(default=10)
    called: str = "data endpoint"


@dataclass(eq=False)
class DataEndpointRefused(InputError):
    """A FHIR server that a request names does not give what is needed, and will not later."""

    sentence = "The {called} `{host}` cannot be used: {reason}."
    host: str
    reason: str
    called: str = "data endpoint"


@dataclass(eq=False)
class LoginRequired(InputError):
    """Nobody is known to ask; `challenges` say how a client can show who it is."""

    sentence = "{reason}"
    reason: str
    challenges: tuple[str, ...] = ()


@dataclass(eq=False)
class LoginExpired(LoginRequired):
    """Who asked was known, until the token came to its end."""


@dataclass(eq=False)
class NotAllowed(InputError):
    """Who asks is known, and may not do this."""

    sentence = "This needs `{needed}`, which the client `{client}` does not have."
    needed: str
    client: str
    challenges: tuple[str, ...] = ()


@dataclass(eq=False)
class InvalidBody(InputError):
    """A body that is no FHIR resource has not the form of its kind; every problem is listed."""

    issues: Sequence[Issue]

    def __str__(self) -> str:
        return " ".join(issue.diagnostics for issue in self.issues)


class NoData(InvalidBody):
    """The data that a CDS Service needs were not sent, and cannot be read elsewhere.

    https://cds-hooks.hl7.org/2.0/#http-status-codes_1
    """
