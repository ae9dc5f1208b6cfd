"""One call of a CDS Service: read from its body, checked, with what it is about.

https://cds-hooks.hl7.org/2.0/#calling-a-cds-service
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from carepath.errors import MalformedInput
from carepath.formats import json as json_codec
from carepath.issues import Issue
from carepath.validation import cds_hooks_issues
from carepath.validation.cds_hooks_form import Form
from carepath.web.cds_hooks.hooks import HOOKS, PLAIN, Hook
from carepath.web.http.exchange import Exchange
from carepath.web.http.negotiation import UnsupportedMediaType, body_format
from carepath.web.http.refusals import InvalidBody

_JSON = "application/json"
_OPTIONAL = ("fhirServer", "fhirAuthorization", "prefetch", "extension")


@dataclass(frozen=True, slots=True)
class HookRequest:
    """What a CDS Client says when it calls."""

    hook: str
    instance: str
    patient: str
    """The id of the Patient."""
    context: Mapping[str, Any]
    prefetch: Mapping[str, Any]
    fhir_server: str = ""
    token: str = field(default="", repr=False)
    """The access token for that server."""

    @property
    def kind(self) -> Hook:
        """Return what is known of the hook."""
        return HOOKS.get(self.hook, PLAIN)

    @property
    def user(self) -> str:
        """Return the reference to who is at the EHR, empty when nobody is named."""
        return str(self.context.get("userId", ""))

    @property
    def encounter(self) -> str:
        """Return the reference to the encounter, empty when none is named."""
        id_ = str(self.context.get("encounterId", "")).removeprefix("Encounter/")
        return f"Encounter/{id_}" if id_ else ""

    @classmethod
    def of(cls, document: Any, hook: str) -> "HookRequest":
        """Read the body of a call of a service for a hook; raises InvalidBody."""
        body = _without_nulls(document)
        refuse(cds_hooks_issues(body, "request"))
        if body["hook"] != hook:
            told = f"`hook` is not that of this service, which is `{hook}`."
            refuse((Issue("error", "value", told, ("hook",)),))
        context = body["context"]
        return cls(
            hook=hook,
            instance=body["hookInstance"],
            # Some clients write a reference where an id belongs.
            patient=context["patientId"].removeprefix("Patient/"),
            context=context,
            prefetch=body.get("prefetch", {}),
            fhir_server=body.get("fhirServer", ""),
            token=body.get("fhirAuthorization", {}).get("access_token", ""),
        )


def document_in(exchange: Exchange) -> Any:
    """Return the JSON in the body of a call; raises MalformedInput and UnsupportedMediaType."""
    content_type = exchange.request.environ.get("CONTENT_TYPE")
    data = exchange.data
    if not data.strip():
        raise MalformedInput("there is no body")
    if body_format(content_type, text_plain=exchange.config.accept_text_plain) != "json":
        raise UnsupportedMediaType(content_type or "", _JSON)
    return json_codec.decode(data, max_depth=exchange.config.max_depth)


def checked(document: Any, form: Form) -> Any:
    """Return a body that has the form of its kind; raises InvalidBody."""
    refuse(cds_hooks_issues(document, form))
    return document


def refuse(issues: tuple[Issue, ...]) -> None:
    """Raise InvalidBody when there are issues."""
    if issues:
        raise InvalidBody(issues)


def _without_nulls(document: Any) -> Any:
    """Return a body without the optional elements that are null: no client should send such."""
    if not isinstance(document, dict):
        return document
    made = {k: v for k, v in document.items() if v is not None or k not in _OPTIONAL}
    context = made.get("context")
    if isinstance(context, dict):
        made["context"] = {name: v for name, v in context.items() if v is not None}
    return made
