"""Public keys: a set by value, or one at an address, read again when a key is new.

https://www.rfc-editor.org/rfc/rfc7517.html

The address stands in the registry and its host on a list there.  Nothing that a token says about
where its key is (`jku`, `x5u`, `jwk`) is followed.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, RSAKey

from carepath.addresses import plain_url, stands_in
from carepath.errors import MalformedInput
from carepath.formats import json as json_codec
from carepath.web.http.outcomes import is_success

_FRESH_SECONDS = 300.0
_PAUSE_SECONDS = 30.0
"""How long after a look nobody looks again, however many unknown keys are named."""
_STALE_SECONDS = 86_400.0
_TIMEOUT_SECONDS = 3.0
_MOST_BYTES = 200_000
_MOST_KEYS = 50
_LEAST_BITS = 2_048

Fetch = Callable[[str], bytes]


class InvalidKeys(Exception):
    """The keys, or where they are, cannot be used; the text says why."""


class NoKeys(Exception):
    """The keys cannot be read now."""


class Keys:
    """The public keys of one client or issuer."""

    def __init__(
        self,
        by_value: Mapping[str, Any],
        url: str,
        hosts: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
        fetch: Fetch | None = None,
    ) -> None:
        """Take a set by value, or the address of one; raises InvalidKeys."""
        if url:
            _refuse_address(url, hosts)
        self.url = url
        self._keys = () if url else _keys_of(by_value, strict=True)
        self._clock = clock
        self._fetch = fetch or _fetched
        self._read = self._looked = float("-inf")
        self._looking = threading.Lock()

    def of(self, kid: str) -> tuple[Key, ...]:
        """Return the keys with an id; several may share one, of different kinds.

        Raises NoKeys when they stand elsewhere and have not been read for too long.
        """
        if not self.url:
            return self._named(kid)
        if self._clock() - self._read > _FRESH_SECONDS or not self._named(kid):
            self._look()
        if self._clock() - self._read > _STALE_SECONDS:
            raise NoKeys
        return self._named(kid)

    def _named(self, kid: str) -> tuple[Key, ...]:
        return tuple(key for key in self._keys if key.kid == kid)

    def _look(self) -> None:
        """Read the keys again, unless that was just done or somebody is at it."""
        if self._clock() - self._looked < _PAUSE_SECONDS or not self._looking.acquire(
            blocking=False
        ):
            return
        try:
            self._looked = self._clock()
            self._keys = _keys_of(json_codec.decode(self._fetch(self.url)))
            self._read = self._looked
        except (InvalidKeys, NoKeys, MalformedInput, httpx.HTTPError):
            return  # Those that were read before go on for a day.
        finally:
            self._looking.release()


def _keys_of(document: Any, *, strict: bool = False) -> tuple[Key, ...]:
    """Return the public keys of a set that can check signatures; raises InvalidKeys.

    One that cannot be used is passed over, or refused where the deployment wrote it.
    """
    held = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(held, list) or not 0 < len(held) <= _MOST_KEYS:
        raise InvalidKeys(f"it must be a JSON Web Key Set with 1 to {_MOST_KEYS} keys")
    keys = tuple(key for one in held if (key := _key(one, strict)) is not None)
    if not keys:
        raise InvalidKeys("it holds no key of kind EC or RSA with a `kid`")
    return keys


def _key(value: Any, strict: bool) -> Key | None:
    """Return a public key, None for one that no signature is checked with."""
    if not isinstance(value, dict) or value.get("use", "sig") != "sig":
        return None
    if value.get("kty") not in ("EC", "RSA") or not isinstance(value.get("kid"), str):
        return None
    try:
        if "d" in value:
            raise InvalidKeys("it holds a private key")
        return _read(value)
    except InvalidKeys:
        if strict:
            raise
        return None


def _read(value: dict[str, Any]) -> Key:
    try:
        (key,) = KeySet.import_key_set({"keys": [value]}).keys
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise InvalidKeys("it holds a key that cannot be read") from error
    if isinstance(key, RSAKey) and key.raw_value.key_size < _LEAST_BITS:
        raise InvalidKeys(f"it holds an RSA key of fewer than {_LEAST_BITS} bits")
    return key


def _refuse_address(url: str, hosts: Iterable[str]) -> None:
    """Raise InvalidKeys unless keys may be read at an address."""
    address = plain_url(url)
    if address is None:
        raise InvalidKeys("it must be an https URL without user, query and fragment")
    if not stands_in(address, hosts):
        raise InvalidKeys("its host must stand in `jwksHosts`")
    if address.scheme != "https" and not _is_loopback(address.host):
        raise InvalidKeys("it must be https; http is for this machine only")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _fetched(url: str) -> bytes:
    """Return what stands at an address: directly, without redirects, bounded in time and size."""
    end = time.monotonic() + _TIMEOUT_SECONDS
    found = bytearray()
    with (
        httpx.Client(
            trust_env=False, follow_redirects=False, verify=httpx.create_ssl_context()
        ) as client,
        client.stream("GET", url, timeout=_TIMEOUT_SECONDS) as response,
    ):
        if not is_success(response.status_code):
            raise NoKeys
        for chunk in response.iter_bytes(chunk_size=8_192):
            found += chunk
            if len(found) > _MOST_BYTES or time.monotonic() > end:
                raise NoKeys
    return bytes(found)
