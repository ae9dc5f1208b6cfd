"""The table of operations: each OperationDefinition that is published, and what carries it out.

https://hl7.org/fhir/R4/operationslist.html
"""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
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
from carepath.web.operations import parameters
from carepath.web.operations import value_sets as value_set_operations
from carepath.web.operations.apply_arguments import APPLY
from carepath.web.operations.call import NOTHING, Call, Run
from carepath.web.operations.model import PLAIN, Level, Operation, Terms
from carepath.web.operations.rights import refuse_parameters

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

_VALIDATE_REFUSED = ("context", "date", "abstract", "displayLanguage")


@dataclass(frozen=True, slots=True)
class Binding:
    """The function behind an OperationDefinition."""

    id: str
    run: Run
    terms: Terms = PLAIN
    is_limited: bool = True
    """Whether it waits for a turn, being more work than a look-up."""
    takes_any_form: bool = False
    """Whether it says itself what is wrong with the form of what was sent."""


BINDINGS = (
    Binding("PlanDefinition-apply", apply_operations.apply_plan_definition, APPLY),
    Binding("PlanDefinition-r5-apply", apply_operations.r5_apply, APPLY),
    Binding("ActivityDefinition-apply", apply_operations.apply_activity_definition, APPLY),
    Binding("apply-pathways", pathways_operation.apply_pathways, Terms(bare="data")),
    Binding("data-requirements", definition_operations.data_requirements),
    Binding("package", definition_operations.package),
    Binding(
        "Resource-validate",
        definition_operations.validate,
        Terms(bare="resource"),
        takes_any_form=True,
    ),
    Binding(
        "ValueSet-expand",
        value_set_operations.expand,
        Terms(bare="valueSet", refused=dict.fromkeys(_EXPAND_REFUSED, _ELSEWHERE)),
    ),
    Binding(
        "ValueSet-validate-code",
        value_set_operations.validate_code,
        Terms(refused=dict.fromkeys(_VALIDATE_REFUSED, _ELSEWHERE)),
    ),
    Binding(
        "CodeSystem-lookup",
        code_system_operations.lookup,
        Terms(refused=dict.fromkeys(("date", "displayLanguage"), _ELSEWHERE)),
    ),
    Binding("CodeSystem-subsumes", code_system_operations.subsumes),
    Binding("versions", definition_operations.versions, is_limited=False),
)


_BY_ID = {binding.id: binding for binding in BINDINGS}


@cache
def operations() -> tuple[Operation, ...]:
    """Return the operations of this service, with the definitions that it ships."""
    shipped = Knowledge.shipped()
    return tuple(
        Operation.of(shipped.definition("OperationDefinition", binding.id), binding.terms)
        for binding in BINDINGS
    )


def invoke(operation: Operation, level: Level, resource_type: str, id: str = "") -> Response:
    """Read what was given, carry the operation out in its turn, answer."""
    ours, current = service.current(), exchange.current()
    if current.request.method == "POST":
        # Whoever sends slowly must not keep others from their turn.
        current.receive()
    with ours.gate.turn() if _BY_ID[operation.id].is_limited else nullcontext():
        return respond.resource(_run(operation, level, resource_type, id, current))


def _run(
    operation: Operation,
    level: Level,
    resource_type: str,
    id: str,
    current: exchange.Exchange,
) -> Resource:
    """Return what the operation answers; all of it counts as its time."""
    query = current.request.args.items(multi=True)
    current.sent = sent = current.resource()
    return _BY_ID[operation.id].run(call_of(operation, level, resource_type, id, sent, query))


def call_of(
    operation: Operation,
    level: Level,
    resource_type: str,
    id: str,
    sent: Resource | None,
    query: Iterable[tuple[str, str]] = (),
) -> Call:
    """Return what an operation is called with: arguments checked, and what can be read.

    Raises InvalidResource where nothing can, InvalidParameter and the like for arguments.
    """
    ours, current, binding = service.current(), exchange.current(), _BY_ID[operation.id]
    arguments = parameters.read(query, sent, operation, level, resource_type)
    refuse_parameters(arguments)
    read = Readable(sent) if binding.takes_any_form else _checked(sent)
    return Call(
        operation=operation,
        level=level,
        resource_type=resource_type,
        id=id,
        arguments=arguments,
        service=ours,
        now=ours.clock(),
        base=current.base,
        issues=read.issues[:_MOST_REMARKS],
        sent=sent,
        read=read,
    )


def _checked(sent: Resource | None) -> Readable:
    """Return what can be read; refuse what leaves nothing to answer with, all problems at once."""
    read = NOTHING if sent is None else readable(sent)
    if read.refusals:
        raise InvalidResource(read.refusals)
    return read
