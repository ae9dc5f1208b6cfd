"""$apply as functions: a request and the knowledge in, the result out.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html and
https://hl7.org/fhir/R4/activitydefinition-operation-apply.html
"""

import copyreg
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from carepath.apply.answer import Applied
from carepath.apply.compile.activity import subject_types
from carepath.apply.compile.cache import Cache
from carepath.apply.compile.compiler import Compiler
from carepath.apply.compile.formula import Formula
from carepath.apply.languages import WithPreparation
from carepath.apply.request import DEFAULT_SETTINGS, ApplyRequest
from carepath.apply.run.requests import ISSUES
from carepath.apply.run.session import Session
from carepath.apply.run.single import apply_single
from carepath.apply.run.walk import Walk
from carepath.errors import CarepathError, InvalidParameter, OtherSubject
from carepath.issues import Issue, operation_outcome
from carepath.knowledge import Knowledge
from carepath.resources import Resource, canonical_of

MESSAGES = "http://hl7.org/fhir/StructureDefinition/cqf-messages"
_FIRST = ("resourceType", "meta", "language", "text")
"""What stands before the contained resources in an answer."""


def apply_plan(request: ApplyRequest, knowledge: Knowledge) -> Applied:
    """Apply a PlanDefinition to one patient.

    Raises InputError when there is no such patient, OtherSubject when the plan is for subjects of
    another type, and InvalidContent when the plan itself cannot
    be read; whatever is wrong inside one action is an issue of the result.
    """
    _refuse_other(request, "PlanDefinition")
    plan = Compiler(knowledge, request.settings, request.language).plan(request.definition)
    session = Session(request, knowledge)
    _refuse_other_subject(request.definition, session.people.subject_type)
    walk = Walk(plan, session)
    walk.run()
    return Applied(walk)


@dataclass(frozen=True, slots=True)
class AppliedActivity:
    """The one request that an ActivityDefinition makes, and what is to be known about it."""

    resource: Resource
    issues: tuple[Issue, ...]

    def answer(self) -> Resource:
        """Return the request as it is sent: what is to be known about it is contained.

        The extension `cqf-messages` ties the OperationOutcome to the request.
        """
        if not self.issues:
            return self.resource
        reference = {"reference": f"#{ISSUES}"}
        tie = {"url": MESSAGES, "valueReference": reference}
        outcome = {**operation_outcome(self.issues), "id": ISSUES}
        made = {name: self.resource[name] for name in _FIRST if name in self.resource}
        made["contained"] = [*self.resource.get("contained", ()), outcome]
        made["extension"] = [*self.resource.get("extension", ()), tie]
        return made | {name: v for name, v in self.resource.items() if name not in made}

    def as_model(self) -> Any:
        """Return the request as an object of fhir.resources (R4B)."""
        from carepath.validation.structure.second_opinion import as_model  # noqa: PLC0415 - loads slowly

        return as_model(self.answer())


def apply_activity(request: ApplyRequest, knowledge: Knowledge) -> AppliedActivity:
    """Apply an ActivityDefinition to one patient.

    Raises NoRequest, which carries the reasons, when no request can be made of it.
    """
    _refuse_other(request, "ActivityDefinition")
    compiler = Compiler(knowledge, request.settings, request.language)
    activity = compiler.activity(request.definition)
    resource, issues = apply_single(activity, Session(request, knowledge))
    return AppliedActivity(resource, issues)


def warm(knowledge: Knowledge) -> None:
    """Compile every plan and activity, and expand every value set, before the first request.

    A service does it once at load, before it forks; without it the first application pays.
    Definitions that cannot be used are passed over: whoever applies them is told why.
    """
    compiler = Compiler(knowledge, DEFAULT_SETTINGS, "")
    for make, resource_type in (
        (compiler.plan, "PlanDefinition"),
        (compiler.activity, "ActivityDefinition"),
        (lambda d: knowledge.terminology.expansion(canonical_of(d)), "ValueSet"),
    ):
        for definition in knowledge.all(resource_type):
            with suppress(CarepathError):
                make(definition)
    _compile_closures(knowledge)


def _compile_closures(knowledge: Knowledge) -> None:
    """Let each expression compile itself, which it otherwise does when first evaluated."""
    for formula in knowledge.derived(Cache).all(Formula):
        if isinstance(formula.compiled, WithPreparation):
            formula.compiled.prepare()


def _refuse_other_subject(plan: Resource, found: str) -> None:
    """Raise OtherSubject unless a plan is for a subject of this type."""
    expected = subject_types(plan)
    if expected and found not in expected:
        raise OtherSubject(canonical_of(plan), " or ".join(expected), found)


def _refuse_other(request: ApplyRequest, resource_type: str) -> None:
    """Raise InvalidParameter unless the definition is of the type that the operation is for."""
    found = request.definition.get("resourceType")
    if found != resource_type:
        raise InvalidParameter("definition", found, f"a {resource_type}")


def _reduced(applied: Applied) -> tuple[Any, ...]:
    """Return what an application is made of: where it is unpacked it is done again."""
    return apply_plan, (applied.session.request, applied.session.knowledge)


copyreg.pickle(Applied, _reduced)
