"""The registry: a file that says who the clients are, how they prove it, and what they may do.

https://hl7.org/fhir/smart-app-launch/STU2.1/client-confidential-asymmetric.html

`docs/security.md` lists its elements.  What is unknown or cannot be used is refused by its place
in the file; a secret is never repeated.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from carepath.errors import CarepathError, MalformedInput
from carepath.formats.files import decode_file
from carepath.web.authorisation.credentials import is_kept_password, is_kept_token
from carepath.web.authorisation.keys import InvalidKeys, Keys
from carepath.web.authorisation.rights import Grant, Rate, Right
from carepath.web.authorisation.scopes import scope_of, scopes_of

_LONGEST_TOKEN_LIFE = 3_600
_SHORTEST_TOKEN_LIFE = 10
_TOKEN_SECONDS = 300


@dataclass(eq=False)
class InvalidRegistry(CarepathError):
    """The registry cannot be used."""

    sentence = "`{path}` is broken at `{element}`: {reason}."
    path: str
    element: str
    reason: str


@dataclass(frozen=True, slots=True)
class Client:
    """A program with a name of its own, and the ways in which it can prove it."""

    grant: Grant
    password: str = ""
    tokens: tuple[str, ...] = ()
    certificate: str = ""
    """The subject of its certificate, as the proxy says it."""
    keys: Keys | None = None

    @property
    def id(self) -> str:
        """Return its name."""
        return self.grant.client


@dataclass(frozen=True, slots=True)
class Issuer:
    """A server that makes out tokens for us, or an EHR that signs its calls."""

    issuer: str
    keys: Keys
    audience: str
    grant: Grant
    """The most that a token of this issuer gives."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Everybody who is known."""

    clients: tuple[Client, ...] = ()
    issuers: tuple[Issuer, ...] = ()
    cds_clients: tuple[Issuer, ...] = ()
    token_seconds: int = _TOKEN_SECONDS

    @property
    def has_keys(self) -> bool:
        """Tell whether anybody signs what is made out to an address of ours."""
        return bool(self.issuers or self.cds_clients or self.gives_tokens)

    @property
    def gives_tokens(self) -> bool:
        """Tell whether there is anybody to make tokens out for."""
        return any(client.keys for client in self.clients)


def read_registry(path: Path) -> Registry:
    """Return the registry in a file; raises InvalidRegistry."""
    try:
        document = decode_file(path.name, path.read_bytes())
    except (OSError, MalformedInput) as error:
        reason = getattr(error, "reason", None) or "it cannot be read"
        raise InvalidRegistry(str(path), "the file", str(reason)) from error
    try:
        return _registry(_Part(document, ""))
    except _Wrong as wrong:
        raise InvalidRegistry(str(path), wrong.place or "the file", wrong.reason) from wrong


class _Wrong(Exception):
    """An element cannot be used."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason


@dataclass
class _Part:
    """An object of the file and its place there; what is asked for is known, the rest is not."""

    value: Any
    place: str
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if not isinstance(self.value, dict):
            raise _Wrong(self.place, "it must be an object")

    def take(
        self, name: str, kind: type | tuple[type, ...], words: str, default: Any = None
    ) -> Any:
        """Return an element; raise when it is of another kind, or needed and not there."""
        self.asked.add(name)
        value = self.value.get(name, default)
        # In Python a truth value is a number, too.
        is_kind = isinstance(value, kind) and not isinstance(value, bool)
        if value is None or (name in self.value and not (is_kind and value != "")):
            raise _Wrong(self.at(name), f"it must be {words}")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """Return an element that is a text."""
        value: str = self.take(name, str, "a text", default)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return an element that is a list of texts, or one text with words."""
        value = self.take(name, (str, list), "a list of texts", [])
        words = value.split() if isinstance(value, str) else value
        if not all(isinstance(word, str) for word in words):
            raise _Wrong(self.at(name), "it must be a list of texts")
        return tuple(words)

    def parts(self, name: str) -> Iterator["_Part"]:
        """Yield the objects of a list; raise for what they hold that nobody asked for."""
        for index, value in enumerate(self.take(name, list, "a list of objects", [])):
            part = _Part(value, f"{self.at(name)}[{index}]")
            yield part
            part.close()

    def at(self, name: str) -> str:
        """Return the place of an element."""
        return f"{self.place}.{name}" if self.place else name

    def close(self) -> None:
        """Raise when there is more than was asked for: it is most likely a typing error."""
        unknown = sorted(map(str, set(self.value) - self.asked))
        if unknown:
            known = ", ".join(sorted(self.asked))
            raise _Wrong(self.at(unknown[0]), f"it is unknown; known are {known}")


def _registry(root: _Part) -> Registry:
    hosts = root.texts("jwksHosts")
    seconds = root.take("tokenSeconds", int, "a number of seconds", _TOKEN_SECONDS)
    if not _SHORTEST_TOKEN_LIFE <= seconds <= _LONGEST_TOKEN_LIFE:
        bounds = f"{_SHORTEST_TOKEN_LIFE} to {_LONGEST_TOKEN_LIFE}"
        raise _Wrong("tokenSeconds", f"it must be a number of seconds, {bounds}")
    clients = tuple(_client(part, hosts) for part in root.parts("clients"))
    issuers = tuple(_issuer(part, hosts) for part in root.parts("issuers"))
    cds_clients = tuple(_cds_client(part, hosts) for part in root.parts("cdsClients"))
    root.close()
    _refuse_twice("clients", "id", [client.id for client in clients])
    _refuse_twice("clients", "certificate", [c.certificate for c in clients if c.certificate])
    _refuse_twice("issuers", "issuer", [one.issuer for one in issuers])
    _refuse_twice("cdsClients", "issuer", [one.issuer for one in cds_clients])
    return Registry(clients, issuers, cds_clients, seconds)


def _client(part: _Part, hosts: tuple[str, ...]) -> Client:
    """Return one client; it must have at least one way to prove who it is."""
    client = Client(
        grant=_grant(part, part.text("id")),
        password=_kept(part, "password", is_kept_password),
        tokens=tuple(_kept(part, name, is_kept_token) for name in _TOKENS if name in part.value),
        certificate=part.text("certificate", ""),
        keys=_keys(part, hosts),
    )
    part.asked.update(_TOKENS)
    if ":" in client.id or not client.id.isprintable():
        raise _Wrong(part.at("id"), "it must be a name without colon")
    if not (client.password or client.tokens or client.certificate or client.keys):
        expected = "`password`, `token`, `certificate`, `jwks` or `jwksUrl`"
        raise _Wrong(part.place, f"it needs one of {expected}")
    return client


_TOKENS = ("token", "nextToken")
"""Two at once, so that a token can be changed while both sides run."""


def _issuer(part: _Part, hosts: tuple[str, ...]) -> Issuer:
    """Return a server that makes out tokens for us; these name what they are for."""
    issuer = part.text("issuer")
    keys = _needed_keys(part, hosts)
    return Issuer(issuer, keys, part.text("audience"), _grant(part, issuer))


def _cds_client(part: _Part, hosts: tuple[str, ...]) -> Issuer:
    """Return an EHR that signs its calls, which are made out to the URL that is called."""
    issuer = part.text("issuer")
    return Issuer(issuer, _needed_keys(part, hosts), "", _grant(part, issuer))


def _grant(part: _Part, client: str) -> Grant:
    """Return what a client may do."""
    words = part.texts("scopes")
    useless = [word for word in words if scope_of(word) is None]
    if useless or not words:
        expected = "scopes such as `system/PlanDefinition.rs`"
        raise _Wrong(part.at("scopes"), f"it must be {expected}" + _not_these(useless))
    known = {right.value: right for right in Right}
    rights = part.texts("rights")
    unknown = [word for word in rights if word not in known]
    if unknown:
        raise _Wrong(part.at("rights"), f"they must be of {', '.join(known)}" + _not_these(unknown))
    held = frozenset(known[word] for word in rights)
    return Grant(client, scopes_of(" ".join(words)), held, _rate(part))


def _not_these(words: list[str]) -> str:
    return f", not `{words[0]}`" if words else ""


def _rate(part: _Part) -> Rate | None:
    """Return how much a client may send, None for no bound of its own."""
    rate = part.take("rate", (int, float, Decimal), "a number above 0", 0)
    burst = part.take("burst", int, "a whole number above 0", 100)
    if "rate" in part.value and rate <= 0:
        raise _Wrong(part.at("rate"), "it must be a number above 0")
    if burst <= 0:
        raise _Wrong(part.at("burst"), "it must be a whole number above 0")
    return Rate(float(rate), burst) if rate else None


def _kept(part: _Part, name: str, is_kept: Callable[[str], bool]) -> str:
    """Return what is kept of a secret; raise, without repeating it, for anything else."""
    kept = part.text(name, "")
    if kept and not is_kept(kept):
        made = "what `carepath authorisation` prints for a password or a token"
        raise _Wrong(part.at(name), f"it must be {made}, never the secret itself")
    return kept


def _needed_keys(part: _Part, hosts: tuple[str, ...]) -> Keys:
    keys = _keys(part, hosts)
    if keys is None:
        raise _Wrong(part.place, "it needs `jwks` or `jwksUrl`")
    return keys


def _keys(part: _Part, hosts: tuple[str, ...]) -> Keys | None:
    """Return the public keys of a client or an issuer, which stand here or at an address."""
    by_value: Mapping[str, Any] = part.take("jwks", dict, "a JSON Web Key Set", {})
    url = part.text("jwksUrl", "")
    if by_value and url:
        raise _Wrong(part.at("jwksUrl"), "it stands beside `jwks`; one of the two is needed")
    try:
        return Keys(by_value, url, hosts) if by_value or url else None
    except InvalidKeys as error:
        raise _Wrong(part.at("jwksUrl" if url else "jwks"), str(error)) from error


def _refuse_twice(name: str, element: str, values: list[str]) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise _Wrong(f"{name}[{index}].{element}", f"`{value}` stands there twice")
