"""The table of operations: each OperationDefinition that is published, and what carries it out.

https://hl7.org/fhir/R4/operationslist.html
"""

from contextlib import nullcontext
from functools import cache

from flask import Response

from carepath.errors import InvalidResource
from carepath.knowledge import Knowledge
from carepath.resources import Resource
from carepath.validation import Readable, readable
from carepath.web import service
from carepath.web.http import exchange, respond
from carepath.web.operations import apply as apply_operations
from carepath.web.operations import apply_pathways as pathways_operation
from carepath.web.operations import code_systems as code_system_operations
from carepath.web.operations import definitions as definition_operations
from carepath.web.operations import parameters as reading
from carepath.web.operations import value_sets as value_set_operations
from carepath.web.operations.model import Binding, Call, Level, Operation

_APPLY = {
    "refused": {
        "contentEndpoint": "definitions are taken from this service only",
        "artifactEndpointConfiguration": "definitions are taken from this service only",
        "terminologyEndpoint": "value sets are taken from this service only",
        "mergeNestedCarePlans": "the answer is one CarePlan",
    },
    "once": {"subject": "one subject; `$r5.apply` answers for several"},
    "bare": "data",
}
_MOST_REMARKS = 100
_ELSEWHERE = "this service answers from what it has loaded"
_EXPAND_REFUSED = (
    "context",
    "contextDirection",
    "date",
    "designation",
    "excludeNotForUI",
    "excludePostCoordinated",
    "displayLanguage",
    "exclude-system",
    "system-version",
    "check-system-version",
    "force-system-version",
)

BINDINGS = (
    Binding("PlanDefinition-apply", apply_operations.apply_plan_definition, **_APPLY),  # type: ignore[arg-type]
    Binding("PlanDefinition-r5-apply", apply_operations.r5_apply, **_APPLY),  # type: ignore[arg-type]
    Binding("ActivityDefinition-apply", apply_operations.apply_activity_definition, **_APPLY),  # type: ignore[arg-type]
    Binding("apply-pathways", pathways_operation.apply_pathways, bare="data"),
    Binding("data-requirements", definition_operations.data_requirements),
    Binding("package", definition_operations.package),
    Binding("Resource-validate", definition_operations.validate, bare="resource"),
    Binding(
        "ValueSet-expand",
        value_set_operations.expand,
        bare="valueSet",
        refused=dict.fromkeys(_EXPAND_REFUSED, _ELSEWHERE),
    ),
    Binding(
        "ValueSet-validate-code",
        value_set_operations.validate_code,
        refused=dict.fromkeys(("context", "date", "abstract", "displayLanguage"), _ELSEWHERE),
    ),
    Binding(
        "CodeSystem-lookup",
        code_system_operations.lookup,
        refused=dict.fromkeys(("date", "displayLanguage"), _ELSEWHERE),
    ),
    Binding("CodeSystem-subsumes", code_system_operations.subsumes),
    Binding("versions", definition_operations.versions, is_limited=False),
)


@cache
def operations() -> tuple[Operation, ...]:
    """Return the operations of this service, with the definitions that it ships."""
    shipped = Knowledge.shipped()
    return tuple(
        Operation.of(shipped.definition("OperationDefinition", binding.id), binding)
        for binding in BINDINGS
    )


def invoke(operation: Operation, level: Level, resource_type: str, id: str = "") -> Response:
    """Read what was given, carry the operation out in its turn, answer."""
    ours, current = service.current(), exchange.current()
    if current.request.method == "POST":
        # Whoever sends slowly must not keep others from their turn.
        current.receive()
    with ours.gate.turn() if operation.binding.is_limited else nullcontext():
        return respond.resource(_run(operation, level, resource_type, id, ours, current))


def _run(
    operation: Operation,
    level: Level,
    resource_type: str,
    id: str,
    ours: service.Service,
    current: exchange.Exchange,
) -> Resource:
    """Return what the operation answers; all of it counts as its time."""
    arguments = reading.read(current, operation, level, resource_type)
    is_checked = operation.code != "validate" and current.sent is not None
    read = _checked(current.sent) if is_checked else Readable(current.sent)
    call = Call(
        operation=operation,
        level=level,
        resource_type=resource_type,
        id=id,
        arguments=arguments,
        service=ours,
        now=ours.clock(),
        base=current.base,
        issues=read.issues[:_MOST_REMARKS],
        sent=current.sent,
        read=read,
    )
    return operation.binding.run(call)


def _checked(sent: Resource | None) -> Readable:
    """Return what can be read; refuse what leaves nothing to answer with, all problems at once."""
    read = readable(sent)
    if read.refusals:
        raise InvalidResource(read.refusals)
    return read
