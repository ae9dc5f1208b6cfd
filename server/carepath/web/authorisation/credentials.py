"""Passwords and tokens that do not change: how they are kept, and how they are compared.

https://www.rfc-editor.org/rfc/rfc7914.html and https://docs.python.org/3/library/hmac.html

The registry holds what is derived from a secret, never the secret.  A password, which people
choose, is derived slowly; a token, which is 256 random bits, quickly.  Both are compared in a time
that does not depend on where they differ.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable

from carepath.web.http.refusals import Busy

_ROUNDS = {"n": 2**14, "r": 8, "p": 1}
_PASSWORD = re.compile(r"scrypt\$([A-Za-z0-9+/]{22}==)\$([A-Za-z0-9+/]{43}=)")
_TOKEN = re.compile(r"sha256\$[0-9a-f]{64}")
_SALT_BYTES = 16
_KEY_BYTES = 32
_TOKEN_BYTES = 32
_MOST_REMEMBERED = 1_000
_WAIT_SECONDS = 1.0
_RETRY_AFTER = 2


def new_token() -> str:
    """Return a token that nobody guesses: 256 random bits."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def new_salt() -> bytes:
    """Return what makes the same password look different each time."""
    return secrets.token_bytes(_SALT_BYTES)


def kept_token(token: str) -> str:
    """Return what the registry holds of a token."""
    return "sha256$" + hashlib.sha256(token.encode()).hexdigest()


def kept_password(password: str, salt: bytes) -> str:
    """Return what the registry holds of a password."""
    key = hashlib.scrypt(password.encode(), salt=salt, dklen=_KEY_BYTES, **_ROUNDS)
    return f"scrypt${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def is_kept_token(text: str) -> bool:
    """Tell whether a text is what the registry holds of a token."""
    return _TOKEN.fullmatch(text) is not None


def is_kept_password(text: str) -> bool:
    """Tell whether a text is what the registry holds of a password."""
    found = _PASSWORD.fullmatch(text)
    try:
        return found is not None and len(base64.b64decode(found[1])) == _SALT_BYTES
    except binascii.Error:
        return False


def is_token(token: str, kept: str) -> bool:
    """Tell whether a token is the one that is kept."""
    return hmac.compare_digest(kept_token(token), kept)


def is_password(password: str, kept: str) -> bool:
    """Tell whether a password is the one that is kept."""
    found = _PASSWORD.fullmatch(kept)
    salt = base64.b64decode(found[1]) if found else b""
    return hmac.compare_digest(kept_password(password, salt), kept)


class Passwords:
    """Passwords that were right are known again without the slow work; nothing is kept of others.

    What is remembered is made with a key of this process, and lives only there.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)
        # Who is unknown costs as much time as who is known and wrong.
        self._nobody = kept_password(new_token(), new_salt())
        self._right: dict[str, bytes] = {}
        # One at a time: who guesses takes one thread, and 16 MB.
        self._slow = threading.Lock()

    def is_right(
        self, client: str, password: str, kept: str, before_work: Callable[[], None] | None = None
    ) -> bool:
        """Tell whether a password is the one that is kept for a client; '' is nobody's.

        `before_work` may refuse the slow work, and Busy is raised while others wait for it.
        """
        mark = hmac.digest(self._key, f"{client}\0{kept}\0{password}".encode(), "sha256")
        if hmac.compare_digest(self._right.get(client, b""), mark):
            return True
        if before_work is not None:
            before_work()
        if not self._slow.acquire(timeout=_WAIT_SECONDS):
            raise Busy(_RETRY_AFTER)
        try:
            is_right = is_password(password, kept or self._nobody) and bool(kept)
        finally:
            self._slow.release()
        if is_right and len(self._right) < _MOST_REMEMBERED:
            self._right[client] = mark
        return is_right
