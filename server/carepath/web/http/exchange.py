"""One request and how it wants to be answered, read once before anything else.

https://hl7.org/fhir/R4/http.html#general
"""

import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from flask import Request, g

from carepath.resources import Resource
from carepath.web.config import Config
from carepath.web.http import body, urls
from carepath.web.http.negotiation import (
    Format,
    NotAcceptable,
    UnsupportedMediaType,
    answer_format,
    body_format,
)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


@dataclass
class Exchange:
    """What the answer depends on besides the content: format, base, preferences."""

    request: Request
    config: Config
    request_id: str
    started: float = field(default_factory=time.perf_counter)
    format: Format = "json"
    sent: Resource | None = None
    """The resource in the body, once an operation has decoded it: errors name its elements."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """What stands in a form in the body, once it has been read."""

    patients: list[str] = field(default_factory=list)
    """References to the patients whom the request turned out to be about, for the audit trail."""
    plans: list[str] = field(default_factory=list)
    """The canonicals of what was applied to them."""

    @classmethod
    def begin(cls, request: Request, config: Config) -> "Exchange":
        """Start with a request id of the client's, or a new one."""
        return cls(request, config, request_id(request.environ.get("HTTP_X_REQUEST_ID", "")))

    @property
    def correlation_id(self) -> str:
        """Return the id by which the client ties requests together, '' when it is none."""
        given: str = self.request.environ.get("HTTP_X_CORRELATION_ID", "")
        return given if _REQUEST_ID.fullmatch(given) else ""

    def concern(self, patients: Iterable[str], plans: Iterable[str]) -> None:
        """Note whom the request is about, and what is applied to them."""
        self.patients += patients
        self.plans += plans

    def negotiate(self) -> None:
        """Choose the format of the answer; raise NotAcceptable where it is a resource."""
        headers = self.request.environ
        try:
            self.format = answer_format(
                headers.get("HTTP_ACCEPT"), self.argument("_format"), headers.get("CONTENT_TYPE")
            )
        except NotAcceptable:
            # Metrics and health have a format of their own, OPTIONS has nothing to say.
            if urls.is_fhir(self.request.path) and self.request.method != "OPTIONS":
                raise

    def argument(self, name: str) -> str:
        """Return the first value of a parameter in the URL or the form, '' when absent."""
        in_url = self.request.args.get(name, "") if self.request.query_string else ""
        return in_url or self.fields.get(name, "")

    def parameters(self) -> list[tuple[str, str]]:
        """Return what stands in the query of the URL; raise MalformedInput."""
        return body.form(self.request.query_string)

    @cached_property
    def base(self) -> str:
        """Return the FHIR base as the client sees it."""
        return urls.fhir_base(self.config, self.request.environ)

    @property
    def pretty(self) -> bool:
        """Tell whether `_pretty=true` was asked for."""
        return self.argument("_pretty") == "true"

    @property
    def strict(self) -> bool:
        """Tell whether `Prefer: handling=strict` was sent."""
        prefer = self.request.headers.get("Prefer", "")
        parts = re.split(r"[;,]", prefer.lower().replace('"', ""))
        return any(part.replace(" ", "") == "handling=strict" for part in parts)

    def receive(self) -> None:
        """Wait for the whole body; raise TooLarge and the like."""
        _ = self.data

    @cached_property
    def data(self) -> bytes:
        """The bytes of the body, unpacked; raises TooLarge and the like."""
        environ = self.request.environ
        declared = self.request.content_length
        if declared is None and not environ.get("wsgi.input_terminated"):
            return b""
        encoding = environ.get("HTTP_CONTENT_ENCODING", "")
        return body.read(environ["wsgi.input"], declared, encoding, self.config)

    def resource(self) -> Resource | None:
        """Decode the resource in the body of a POST, None when there is no body."""
        data = self.data if self.request.method == "POST" else b""
        if not data.strip():
            return None
        content_type = self.request.environ.get("CONTENT_TYPE")
        fmt = body_format(content_type, text_plain=self.config.accept_text_plain)
        return body.decode(data, fmt, self.config)

    def form(self) -> list[tuple[str, str]]:
        """Return the parameters of a form in the body, as `_search` sends them.

        `_format` and `_pretty` count there, too: the answer is negotiated again.
        """
        name = (self.request.environ.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()
        data = self.data
        # Whoever packs a body may forget what it is, and here it can be nothing else.
        if name not in ("", FORM):
            raise UnsupportedMediaType(name, FORM)
        pairs = body.form(data)
        self.fields = dict(reversed(pairs))
        self.negotiate()
        return pairs


def request_id(given: str) -> str:
    """Return the client's id of a request, or a new one when it cannot stand in a log."""
    return given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())


FORM = "application/x-www-form-urlencoded"


def current() -> Exchange:
    """Return the exchange of the request that is being answered."""
    exchange: Exchange = g.exchange
    return exchange
