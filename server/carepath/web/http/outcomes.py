"""Errors as HTTP: the one place that knows status codes.

https://hl7.org/fhir/R4/http.html#Status-Codes and https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

from werkzeug import exceptions as werkzeug_errors

from carepath import errors
from carepath.issues import Issue, operation_outcome
from carepath.web.config import InvalidConfiguration
from carepath.web.http import negotiation, refusals

OK = 200
NO_CONTENT = 204
REDIRECTIONS = 300
BAD_REQUEST = 400
UNAUTHORIZED = 401
NOT_MODIFIED = 304
UNAVAILABLE = 503


class Meaning(NamedTuple):
    """What an error is to an HTTP client: status and issue code."""

    status: int
    code: str


MEANINGS: Mapping[type[Exception], Meaning] = {
    errors.CarepathError: Meaning(500, "exception"),
    errors.InputError: Meaning(400, "invalid"),
    errors.MalformedInput: Meaning(400, "structure"),
    errors.InvalidParameter: Meaning(400, "value"),
    errors.InvalidResource: Meaning(422, "structure"),
    errors.SubjectNotFound: Meaning(404, "not-found"),
    errors.OtherSubject: Meaning(422, "business-rule"),
    errors.ContentError: Meaning(422, "processing"),
    errors.CodeNotFound: Meaning(404, "not-found"),
    errors.DefinitionNotFound: Meaning(404, "not-found"),
    errors.UnresolvedCanonical: Meaning(422, "not-found"),
    errors.CyclicDefinition: Meaning(422, "processing"),
    errors.InvalidTemplate: Meaning(422, "processing"),
    errors.NoRequest: Meaning(422, "processing"),
    errors.InvalidContent: Meaning(422, "processing"),
    errors.ExpressionError: Meaning(422, "processing"),
    errors.ExpressionSyntaxError: Meaning(422, "invalid"),
    errors.UnsupportedFeature: Meaning(422, "not-supported"),
    InvalidConfiguration: Meaning(500, "exception"),
    negotiation.NotAcceptable: Meaning(406, "not-supported"),
    negotiation.UnsupportedMediaType: Meaning(415, "not-supported"),
    refusals.TooLarge: Meaning(413, "too-long"),
    refusals.UrlTooLong: Meaning(414, "too-long"),
    refusals.TooCostly: Meaning(422, "too-costly"),
    refusals.UnsupportedParameter: Meaning(400, "not-supported"),
    refusals.UnknownParameter: Meaning(400, "not-supported"),
    refusals.UnsupportedSearch: Meaning(400, "not-supported"),
    refusals.UnsupportedBundle: Meaning(422, "not-supported"),
    refusals.NotInBatch: Meaning(503, "transient"),
    refusals.NestedBatch: Meaning(400, "not-supported"),
    refusals.InvalidBody: Meaning(400, "invalid"),
    refusals.NoData: Meaning(412, "incomplete"),
    refusals.UnknownEndpoint: Meaning(404, "not-found"),
    refusals.MethodNotAllowed: Meaning(405, "not-supported"),
    refusals.LoginRequired: Meaning(401, "login"),
    refusals.LoginExpired: Meaning(401, "expired"),
    refusals.NotAllowed: Meaning(403, "forbidden"),
    refusals.TooManyRequests: Meaning(429, "throttled"),
    refusals.Busy: Meaning(503, "transient"),
    refusals.OutOfMemory: Meaning(503, "transient"),
    refusals.UnsupportedTransferCoding: Meaning(501, "not-supported"),
    refusals.DataEndpointFailed: Meaning(503, "transient"),
    refusals.DataEndpointRefused: Meaning(422, "processing"),
}
"""The nearest class in an error's ancestry decides."""

_BY_STATUS: Mapping[int, tuple[str, str]] = {
    400: ("invalid", "The request is not valid HTTP."),
    403: ("forbidden", "The request is not allowed."),
    404: ("not-found", "There is nothing at this URL."),
    405: ("not-supported", "This method is not possible here."),
    408: ("timeout", "The request did not arrive in time."),
    413: ("too-long", "The request is larger than this service allows."),
    414: ("too-long", "The URL is longer than this service allows."),
    417: ("not-supported", "The expectation in `Expect` cannot be met."),
    431: ("too-long", "The header fields are larger than this service allows."),
    501: ("not-supported", "This transfer coding is not supported."),
}
_GONE = frozenset({404, 410})
_PASSING = frozenset({429, 500, 502, 503, 504})
_INTERNAL = ("exception", "The service failed; its log has the details under this request id.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """An error, ready to be sent."""

    status: int
    resource: dict[str, Any]
    headers: Mapping[str, Any] = field(default_factory=dict)
    """By name; a header that may stand several times has a list."""

    @property
    def is_our_fault(self) -> bool:
        """Tell whether the log must say what happened."""
        return self.status == _UNEXPECTED.status


_UNEXPECTED = Meaning(500, "exception")
_WITH_ISSUES = (
    errors.InvalidResource,
    errors.InvalidContent,
    errors.NoRequest,
    refusals.InvalidBody,
)


def outcome_of(error: Exception, elements: tuple[str, ...] = ()) -> Outcome:
    """Return status, OperationOutcome and headers for an error; unknown ones say nothing.

    `elements` are the FHIRPaths concerned, where the error itself does not name them.
    """
    if isinstance(error, werkzeug_errors.HTTPException):
        return outcome_of_status(error.code or _UNEXPECTED.status)
    meaning = _meaning(error)
    if meaning == _UNEXPECTED:
        return outcome_of_status(meaning.status)
    issues = getattr(error, "issues", None)
    if isinstance(error, _WITH_ISSUES) and issues:
        return Outcome(meaning.status, operation_outcome(issues))
    code = "required" if _is_missing(error) else meaning.code
    elements = elements or tuple(filter(None, [getattr(error, "element", "")]))
    issue = Issue("error", code, str(error), elements)
    return Outcome(meaning.status, operation_outcome([issue]), _headers(error))


def outcome_of_status(status: int) -> Outcome:
    """Return the OperationOutcome for a status that Flask, Werkzeug or waitress chose."""
    code, text = _BY_STATUS.get(status, _INTERNAL)
    if status not in _BY_STATUS:
        status = _UNEXPECTED.status
    severity = "fatal" if status == _UNEXPECTED.status else "error"
    return Outcome(status, operation_outcome([Issue(severity, code, text)]))  # type: ignore[arg-type]


def is_success(status: int) -> bool:
    """Tell whether a status means that the request was carried out."""
    return OK <= status < REDIRECTIONS


def phrase(status: int) -> str:
    """Return the reason phrase of a status."""
    return HTTPStatus(status).phrase


def is_gone(status: int) -> bool:
    """Tell whether a status means that there is no such resource."""
    return status in _GONE


def is_passing(status: int) -> bool:
    """Tell whether a status means that the same request may succeed later."""
    return status in _PASSING


def _meaning(error: Exception) -> Meaning:
    for ancestor in type(error).__mro__:
        if ancestor in MEANINGS:
            return MEANINGS[ancestor]
    return _UNEXPECTED


def _is_missing(error: Exception) -> bool:
    return isinstance(error, errors.InvalidParameter) and error.value is None


def _headers(error: Exception) -> dict[str, Any]:
    """Return Retry-After, Allow and WWW-Authenticate where the error carries them."""
    headers: dict[str, Any] = {}
    if hasattr(error, "retry_after"):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, refusals.MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, refusals.LoginRequired | refusals.NotAllowed):
        # One a line: clients of HTTP are at odds about several in one.
        headers["WWW-Authenticate"] = list(error.challenges)
    return headers
