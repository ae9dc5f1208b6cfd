"""From a file to a request: read JSON or XML, check the structure, find plan and patient.

Parameters are read by the rules of the service; what only the service can do is refused by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from carepath.apply import ApplyRequest
from carepath.errors import InvalidResource, MalformedInput
from carepath.formats import json as json_codec
from carepath.formats import xml as xml_codec
from carepath.knowledge import Knowledge, plan_named
from carepath.resources import Resource
from carepath.validation import Readable, readable, record_of
from carepath.web.operations.apply_arguments import APPLY, request_fields
from carepath.web.operations.model import Operation, Terms
from carepath.web.operations.parameters import read

Values = Mapping[str, Sequence[Any]]

_MOST_REMARKS = 100

_BY_OPTION = "the plan is named by an option of the command"
_CONTENT = (
    "definitions",
    "contentEndpoint",
    "terminologyEndpoint",
    "artifactEndpointConfiguration",
)
_FROM_FILE = "the data are read from the file"
_TERMS = Terms(
    bare=APPLY.bare,
    refused={
        **APPLY.refused,
        **dict.fromkeys(("planDefinition", "url", "canonical", "version"), _BY_OPTION),
        "returnAs": "the command prints the CarePlan",
        **dict.fromkeys(_CONTENT, "definitions are added by the option `--content`"),
        **dict.fromkeys(("dataEndpoint", "useServerData"), _FROM_FILE),
    },
)


def read_resource(data: bytes, *, check: bool = True) -> Resource:
    """Decode one resource from JSON or XML, as its first character says.

    With `check`, anything that is unsafe to read raises InvalidResource: who gets nothing but the
    resource would not know what was left out of it.
    """
    if not check:
        return _decoded(data)
    found = read_data(data)
    if found.left_out:
        raise InvalidResource([one.refusal for one in found.left_out])
    resource: Resource = found.content
    return resource


def read_data(data: bytes) -> Readable:
    """Decode the data of a patient from JSON or XML, without what is unsafe to read.

    Raises MalformedInput, and InvalidResource when nothing is left to answer with.
    """
    found = readable(_decoded(data))
    if found.refusals:
        raise InvalidResource(found.refusals)
    return found


def _decoded(data: bytes) -> Resource:
    decode: Callable[[bytes], Any] = json_codec.decode
    if data.lstrip()[:1] == b"<":
        decode = xml_codec.decode
    resource = decode(data)
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise MalformedInput("a FHIR resource is expected: an object with a resourceType")
    return resource


def apply_request(
    data: Readable | Resource,
    knowledge: Knowledge,
    *,
    pathway: str | None,
    subject: str | None,
    now: datetime,
    parameters: Values,
    **shown: Any,
) -> ApplyRequest:
    """Return the request to apply a plan to a Bundle, a resource, or the data of Parameters.

    A resource that is given as it is counts as checked.
    `shown` are fields of the request that say what the answer looks like; those that are None are
    left to Parameters.  What the caller names comes before what stands in Parameters.  Raises
    InputError naming the parameter that is unknown, missing or wrong, InvalidResource when the
    subject cannot be read, and DefinitionNotFound for an unknown plan.
    """
    found = data if isinstance(data, Readable) else Readable(data)
    arguments = read((), found.content, _operation(), "type", "PlanDefinition")
    fields = request_fields(arguments)
    fields["parameters"] = {**fields["parameters"], **parameters}
    fields |= {name: value for name, value in shown.items() if value is not None}
    named = subject or next(iter(arguments.get("subject", ())), None)
    request = ApplyRequest(plan_named(pathway, knowledge), record_of(found), now, subject=named)
    request = replace(request, issues=found.issues[:_MOST_REMARKS], **fields)
    if request.subject:
        refusal = found.refusal_of(request.record.for_subject(request.subject).subject)
        if refusal is not None:
            raise InvalidResource([refusal])
    return request


@cache
def _operation() -> Operation:
    """Return the operation by whose definition Parameters are read."""
    definition = Knowledge.shipped().definition("OperationDefinition", "PlanDefinition-apply")
    return Operation.of(definition, _TERMS)
