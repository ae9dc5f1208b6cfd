"""Why a token or an assertion is not accepted.

https://www.rfc-editor.org/rfc/rfc6749.html#section-5.2
"""

from dataclasses import dataclass


@dataclass
class Untrusted(Exception):
    """A token is not accepted, and why."""

    reason: str
    is_expired: bool = False

    def __str__(self) -> str:
        return self.reason


@dataclass
class TokenRefused(Exception):
    """A token is not made out; the code is one of RFC 6749, section 5.2."""

    error: str
    reason: str

    @property
    def is_of_client(self) -> bool:
        """Tell whether the client has not shown who it is."""
        return self.error == "invalid_client"
