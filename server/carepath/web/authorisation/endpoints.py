"""The endpoints of authorisation: tokens, what a token means, and what a client has to know.

https://www.rfc-editor.org/rfc/rfc6749.html#section-5 and https://www.rfc-editor.org/rfc/rfc7662.html

They speak OAuth: JSON with `error` and `error_description`.  Where there is no registry, or nobody
in it who could have a token, there is nothing at their URLs.
"""

from typing import TYPE_CHECKING, Any

from flask import Response, jsonify

from carepath.errors import MalformedInput
from carepath.resources import Resource
from carepath.web.authorisation import door
from carepath.web.authorisation.smart_configuration import rest_security, smart_configuration
from carepath.web.authorisation.untrusted import TokenRefused, Untrusted
from carepath.web.http import outcomes
from carepath.web.http.exchange import current
from carepath.web.http.negotiation import UnsupportedMediaType
from carepath.web.http.refusals import UnknownEndpoint
from carepath.web.http.urls import root_of

if TYPE_CHECKING:
    from carepath.web.authorisation.guard import Guard


def token() -> Response:
    """Make out a token for a client that has shown its key."""
    guard = _guard()
    try:
        return _answer(guard.token_endpoint.answer(_form()))
    except TokenRefused as error:
        status = outcomes.UNAUTHORIZED if error.is_of_client else outcomes.BAD_REQUEST
        told = {"error": error.error, "error_description": error.reason}
        return _answer(told, status)


def introspect() -> Response:
    """Say what a token of ours means, to a client that is known."""
    guard = _guard()
    try:
        given = dict(_form())
        claims = guard.tokens.claims_of(given.get("token", ""))
    except TokenRefused as error:
        told = {"error": error.error, "error_description": error.reason}
        return _answer(told, outcomes.BAD_REQUEST)
    except Untrusted:
        claims = None
    if claims is None:
        return _answer({"active": False})
    return _answer({"active": True, "token_type": "bearer", **claims})


def configuration() -> Response:
    """Answer with the configuration of SMART."""
    _guard()
    return _answer(smart_configuration(_root()))


def security() -> Resource | None:
    """Return CapabilityStatement.rest.security, None where everybody may do everything."""
    guard = door.current()
    return None if guard is None else rest_security(guard.registry, _root())


def _guard() -> "Guard":
    guard = door.current()
    if guard is None or not guard.registry.gives_tokens:
        raise UnknownEndpoint("There is nothing at this URL.")
    return guard


def _root() -> str:
    return root_of(current().base)


def _form() -> list[tuple[str, str]]:
    try:
        return current().form()
    except (MalformedInput, UnsupportedMediaType) as error:
        raise TokenRefused("invalid_request", str(error)) from error


def _answer(told: dict[str, Any], status: int = outcomes.OK) -> Response:
    response = jsonify(told)
    response.status_code = status
    response.headers["Pragma"] = "no-cache"
    return response
