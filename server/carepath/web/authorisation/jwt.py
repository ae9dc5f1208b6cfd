"""Signed tokens: which algorithms, which key, made out by whom, to whom, and for how long.

https://www.rfc-editor.org/rfc/rfc7519.html and https://www.rfc-editor.org/rfc/rfc8725.html

The algorithm is one of a list, never what the token prefers; the key is one that was registered
for whoever made it out, found by `kid` among those alone.
"""

import base64
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedKeyAlgorithmError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from carepath.web.authorisation.keys import Keys
from carepath.web.authorisation.smart_configuration import SMART
from carepath.web.authorisation.untrusted import Untrusted

OPENID = (*SMART, "ES256", "RS256", "PS256", "PS384")
"""What other servers sign with."""
SKEW_SECONDS = 60
"""How far two clocks may differ."""
ASSERTION_SECONDS = 300
"""How long an assertion may be valid."""
_LONGEST_LIFE = 86_400
_LONGEST_NAME = 200
_LONGEST = 8_000
_TYPES = {"EC": "ES", "RSA": "RP"}
_FOLLOWED_BY_NOBODY = ("jwk", "x5u", "x5c", "crit")


class Expected(NamedTuple):
    """What a token has to say."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    longest: float = _LONGEST_LIFE
    """How many seconds it may be valid from now on."""


def issuer_of(text: str) -> str:
    """Return who a token says that made it out, before anything of it is believed; '' for none."""
    try:
        part = text.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        issuer = claims["iss"]
    except (IndexError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return issuer if isinstance(issuer, str) else ""


def verified(text: str, keys: Keys, expected: Expected, now: float) -> Mapping[str, Any]:
    """Return the claims of a token; raises Untrusted, and NoKeys when keys cannot be read."""
    if len(text) > _LONGEST:
        raise Untrusted("it is too long")
    # Which names may stand in the head is looked at below.
    rules = JWSRegistry(algorithms=expected.algorithms, strict_check_header=False)
    find = _finder(keys, expected.algorithms)
    try:
        token = jwt.decode(text, find, algorithms=expected.algorithms, registry=rules)
    except UnsupportedKeyAlgorithmError:
        raise Untrusted("its key is of another kind than its algorithm") from None
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise Untrusted("its signature is not valid, or its algorithm is not allowed") from error
    _refuse_claims(token.claims, expected, now)
    return token.claims


def _finder(keys: Keys, algorithms: Collection[str]) -> Callable[[Any], Key]:
    """Return what finds the key for a token that is being read."""

    def find(token: Any) -> Key:
        head = token.headers()
        kid, algorithm = head.get("kid"), head.get("alg")
        if algorithm not in algorithms:
            raise Untrusted("its algorithm is not allowed")
        if any(name in head for name in _FOLLOWED_BY_NOBODY):
            raise Untrusted("it brings a key, or asks for what is not supported")
        if "jku" in head and (not keys.url or head["jku"] != keys.url):
            raise Untrusted("its `jku` is not the address that is registered")
        if not isinstance(kid, str) or not kid or len(kid) > _LONGEST_NAME:
            raise Untrusted("it names no key by `kid`")
        kind = algorithm[0]
        found = [key for key in keys.of(kid) if kind in _TYPES[key.key_type]]
        if len(found) != 1:
            raise Untrusted("its key is not registered")
        return found[0]

    return find


def _refuse_claims(claims: Mapping[str, Any], expected: Expected, now: float) -> None:
    """Raise unless a token is for us and for now."""
    expiry = _number(claims, "exp")
    if expiry is None:
        raise Untrusted("it does not say when it ends, by `exp`")
    if expiry <= now - SKEW_SECONDS:
        raise Untrusted("it has expired", is_expired=True)
    if expiry > now + expected.longest + SKEW_SECONDS:
        raise Untrusted(f"it is valid for more than {expected.longest:g} seconds")
    for name in ("nbf", "iat"):
        moment = _number(claims, name)
        if moment is not None and moment > now + SKEW_SECONDS:
            raise Untrusted(f"its `{name}` is in the future")
    if claims.get("iss") != expected.issuer:
        raise Untrusted("it is made out by somebody else")
    audience = claims.get("aud")
    if expected.audience not in (audience if isinstance(audience, list) else [audience]):
        raise Untrusted("it is made out to another address")


def _number(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a moment, None for none; raise for what is no number."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**12:
        raise Untrusted(f"its `{name}` is no moment")
    return value


def identifier(claims: Mapping[str, Any]) -> str:
    """Return the id of a token, by which it is used once; raise when it has none."""
    value = claims.get("jti")
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        raise Untrusted("it has no `jti`")
    return value
