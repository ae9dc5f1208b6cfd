"""Who asks in this request, and what is refused to that client; light, for every room above.

https://www.rfc-editor.org/rfc/rfc6750.html#section-3
"""

from collections.abc import Mapping
from typing import Any

from flask import g

from carepath.web.authorisation.rights import Grant, Need, Right
from carepath.web.http.refusals import NotAllowed

GRANT = "carepath.grant"
"""Where a batch hands on who asks: no client can set a variable of the server."""
BEARER = 'Bearer realm="carepath"'


def refuse(
    grant: Grant, needed: Need, arguments: Mapping[str, Any], *, is_closed: bool = False
) -> None:
    """Raise NotAllowed where a client lacks something that is needed."""
    lacking = "a route that is open to somebody" if is_closed else grant.lacks(needed, arguments)
    if lacking:
        challenge = f'{BEARER}, error="insufficient_scope", scope="{needed.words}"'
        raise NotAllowed(lacking, grant.client, (challenge,))


def current_grant() -> Grant:
    """Return who asks in this request; the guard has set it before anything else ran."""
    grant: Grant = g.grant
    return grant


def demand(*rights: Right) -> None:
    """Raise NotAllowed unless who asks has these rights."""
    refuse(current_grant(), Need(rights=rights), {})
