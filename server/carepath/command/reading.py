"""From a file to a request: read JSON or XML, check the structure, find plan and patient.

The command line comes in here; the service has its own door, `web/parameters`, with the same steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from carepath.apply import ApplyRequest
from carepath.errors import InvalidParameter, InvalidResource, MalformedInput
from carepath.formats import json as json_codec
from carepath.formats import xml as xml_codec
from carepath.knowledge import Knowledge, top_level_plans
from carepath.resources import Resource, parameter_values
from carepath.validation import Readable, readable, record_of

Values = Mapping[str, Sequence[Any]]

_MOST_REMARKS = 100

# The simple parameters of the operation, and the elements of a request that they fill.
_FIELDS = {
    "subject": "subject",
    "encounter": "encounter",
    "practitioner": "practitioner",
    "organization": "organization",
    "userType": "user_type",
    "userLanguage": "user_language",
    "userTaskContext": "user_task_context",
    "setting": "setting",
    "settingContext": "setting_context",
}


def read_resource(data: bytes, *, check: bool = True) -> Resource:
    """Decode one resource from JSON or XML, told apart by the first character.

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
) -> ApplyRequest:
    """Return the request to apply a plan to a Bundle, a resource, or the data of Parameters.

    A resource that is given as it is counts as checked.
    What the caller names comes before what stands in Parameters.  Raises InputError naming the
    parameter that is unknown, missing or wrong, InvalidResource when the subject cannot be read,
    and DefinitionNotFound for an unknown plan.
    """
    found = data if isinstance(data, Readable) else Readable(data)
    resource: Resource = found.content
    is_call = resource["resourceType"] == "Parameters"
    fields = _from_parameters(resource) if is_call else {}
    parameters = {**fields.pop("parameters", {}), **parameters}
    request = ApplyRequest(_plan(pathway, knowledge), record_of(found), now, parameters=parameters)
    request = replace(request, issues=found.issues[:_MOST_REMARKS], **fields)
    request = replace(request, subject=subject) if subject else request
    if request.subject:
        refusal = found.refusal_of(request.record.for_subject(request.subject).subject)
        if refusal is not None:
            raise InvalidResource([refusal])
    return request


def _plan(pathway: str | None, knowledge: Knowledge) -> Resource:
    """Return the plan of a name, or the one that no other plan uses."""
    if pathway:
        return knowledge.plan(pathway)
    plans = top_level_plans(knowledge)
    if len(plans) != 1:
        names = ", ".join(f"`{plan.get('id')}`" for plan in plans)
        raise InvalidParameter("pathway", None, f"one of {names}" if names else "a plan")
    return plans[0]


def _from_parameters(parameters: Resource) -> dict[str, Any]:
    """Return the elements of the request that Parameters hold beside the data."""
    fields: dict[str, Any] = {}
    for part in parameters.get("parameter", ()):
        name = part.get("name", "")
        if name == "data" and "resource" in part:
            continue
        if name == "parameters" and "resource" in part:
            fields["parameters"] = parameter_values(part["resource"])
        elif name in _FIELDS:
            fields[_FIELDS[name]] = _value(part)
        else:
            known = ", ".join(["data", "parameters", *_FIELDS])
            raise InvalidParameter(f"Parameters.{name}", "unknown", f"one of {known}")
    return fields


def _value(part: Resource) -> Any:
    """Return the value of a parameter; a Reference stands for its text."""
    value = next((part[key] for key in part if key.startswith("value")), None)
    return value.get("reference", value) if isinstance(value, dict) else value
