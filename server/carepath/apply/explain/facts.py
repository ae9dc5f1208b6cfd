"""Every fact of a Library for one record: its value, what it rests on, and what was left out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import chain
from types import MappingProxyType
from typing import Any

from carepath.apply.compile.compiler import Compiler
from carepath.apply.compile.names import FACT, Fact
from carepath.apply.explain.decision import fact_as_json
from carepath.apply.explain.withheld import UNREAD, not_used, withheld
from carepath.apply.issues import issue_of
from carepath.apply.request import ApplyRequest
from carepath.apply.run.scope import FAILURES, FactValue, Scope
from carepath.apply.run.session import Session
from carepath.apply.run.step import json_value
from carepath.errors import InvalidParameter
from carepath.fhirpath import Node
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.record.when import time_of
from carepath.resources import Resource, canonical_of

_NOT_USED = re.compile(r"`([^`]+)` (was not used: .*)\.", re.DOTALL)
"""How a record, and the reading of what was sent, tell of a resource that they leave out."""


@dataclass(frozen=True, slots=True)
class FactReading:
    """A fact for one record; `value` is None, one value or a list of values, as JSON has it.

    `problem` says why it could not be worked out, and is None when it could.
    """

    name: str
    label: str
    value: Any
    text: str
    evidence: tuple[str, ...]
    is_auxiliary: bool
    problem: Issue | None = None

    @property
    def is_known(self) -> bool:
        """Tell whether the fact has a value; without one it is neither yes nor no."""
        return self.value is not None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A resource that was not used or decides nothing, why, and the facts that hang on it.

    `facts` are the names of facts that would be known if the resource were not left out so.
    """

    reference: str
    reason: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FactReport:
    """All facts of a Library for the subject of a record at a moment."""

    library: str
    subject: str
    sex: str
    birth_date: str
    now: datetime
    facts: tuple[FactReading, ...]
    left_out: tuple[LeftOut, ...]
    issues: tuple[Issue, ...]
    """What else is to be known of the record and the Library; without the `problem` of a fact."""
    dates: Mapping[str, str]
    """When the resources behind the facts were, in the words of the sender, by reference."""


def facts_of(
    request: ApplyRequest, library: Resource, knowledge: Knowledge, *, auxiliary: bool = False
) -> FactReport:
    """Return every fact of a Library for the subject of a request, whatever its plan.

    With `auxiliary` those come, too, that only serve other facts.  Raises InputError when there is
    no such subject, or no choice, and nothing for a fact that fails: it is told as not known.
    """
    return _facts(request, plan_of(library), knowledge, auxiliary=auxiliary)


def facts_of_plan(request: ApplyRequest, knowledge: Knowledge) -> FactReport:
    """Return every fact of the Libraries that the plan of a request names; raises as `facts_of`."""
    plan = plan_of({})
    del plan["library"]
    if request.definition.get("library"):
        plan["library"] = request.definition["library"]
    return _facts(request, plan, knowledge, auxiliary=False)


def _facts(
    request: ApplyRequest, definition: Resource, knowledge: Knowledge, *, auxiliary: bool
) -> FactReport:
    plan = Compiler(knowledge, request.settings, request.language).plan(definition)
    session = Session(replace(request, definition=definition), knowledge)
    session.issues.extend(plan.issues)
    if request.parameters:
        session.note_unread_parameters(plan.parameters)
    facts = [entry for entry in plan.names.entries.values() if isinstance(entry, Fact)]
    return _report(definition, _worked_out(facts, session), session, auxiliary)


def fact_library(name: str | None, knowledge: Knowledge) -> Resource:
    """Return the Library with this id or canonical, without a name the one that plans name.

    Where no plan names a Library with facts it is the only one there is.  Raises
    DefinitionNotFound for an unknown one, InvalidParameter for one without facts and when there is
    a choice.
    """
    if name is not None:
        library = knowledge.definition("Library", name)
        if not _has_facts(library):
            raise InvalidParameter("library", name, "a Library with facts")
        return library
    found = _named_by_plans(knowledge) or list(filter(_has_facts, knowledge.all("Library")))
    if len(found) != 1:
        names = ", ".join(f"`{canonical_of(library)}`" for library in found)
        raise InvalidParameter("library", None, f"one of {names}" if names else "one with facts")
    return found[0]


def plan_of(library: Resource) -> Resource:
    """Return a plan that does nothing but name a Library."""
    return {
        "resourceType": "PlanDefinition",
        "id": "facts-of-a-library",
        "status": "draft",
        "library": [canonical_of(library)],
    }


def _has_facts(library: Resource) -> bool:
    return any(extension.get("url") == FACT for extension in library.get("extension") or ())


def _named_by_plans(knowledge: Knowledge) -> list[Resource]:
    """Return the Libraries with facts that plans name, each once.

    One that only adds to another of them, which it depends on, is left to who asks for it by name.
    """
    names = (n for plan in knowledge.all("PlanDefinition") for n in plan.get("library") or ())
    found = (knowledge.find(name, None, "Library") for name in dict.fromkeys(names))
    unique = {canonical_of(library): library for library in found if library is not None}
    named = [library for library in unique.values() if _has_facts(library)]
    return [library for library in named if not _adds_to(library, named, knowledge)]


def _adds_to(library: Resource, others: Iterable[Resource], knowledge: Knowledge) -> bool:
    """Tell whether a Library depends on another one of some."""
    artifacts = library.get("relatedArtifact") or ()
    below = [
        knowledge.find(artifact["resource"], library, "Library")
        for artifact in artifacts
        if artifact.get("type") == "depends-on" and "resource" in artifact
    ]
    return any(other is one for one in below for other in others if other is not library)


Worked = Mapping[Fact, FactValue | Issue]
"""The facts in the order of the Library, each with its value or why it has none."""


def _worked_out(facts: Iterable[Fact], session: Session) -> Worked:
    """Work out facts, each where its own Library defines it."""
    found: dict[Fact, FactValue | Issue] = {}
    for fact in facts:
        scope = session.scope_of(fact.home)
        try:
            scope[fact.name]  # A scope works out what is read from it.
            found[fact] = scope.facts[fact.name]
        except FAILURES as error:
            found[fact] = _problem(fact, issue_of(error))
    return found


def _problem(fact: Fact, cause: Issue) -> Issue:
    text = f"The fact `{fact.name}` cannot be used. {cause.diagnostics}"
    return Issue(cause.severity, cause.code, text)


def _report(plan: Resource, worked: Worked, session: Session, auxiliary: bool) -> FactReport:
    """Return what was worked out, free of the session."""
    shown = tuple(
        _reading(fact, value)
        for fact, value in worked.items()
        if auxiliary or not fact.is_auxiliary
    )
    left_out, issues = _left_out(worked, session)
    references = dict.fromkeys(chain.from_iterable(fact.evidence for fact in shown))
    patient, subject = session.patient, session.people.subject
    return FactReport(
        library=", ".join(plan.get("library") or ()),
        subject=str(subject.get("reference") or subject.get("display") or ""),
        sex=str(patient.get("gender") or ""),
        birth_date=str(patient.get("birthDate") or ""),
        now=session.now,
        facts=shown,
        left_out=left_out,
        issues=issues,
        dates=MappingProxyType(dict(_dated(references, session))),
    )


def _reading(fact: Fact, value: FactValue | Issue) -> FactReading:
    """Return a fact as people and JSON have it."""
    if isinstance(value, Issue):
        return FactReading(fact.name, fact.words, None, "", (), fact.is_auxiliary, value)
    told = fact_as_json(value)
    text = ", ".join(value_text(fact, item) for item in value.values)
    evidence = tuple(told["evidence"])
    return FactReading(fact.name, fact.words, told["value"], text, evidence, fact.is_auxiliary)


def value_text(fact: Fact, value: Any) -> str:
    """Return one value of a fact for people: in the words of the Library where it has some."""
    value = value.value if isinstance(value, Node) else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return str(json_value(value)) if "resourceType" in value else "recorded"
    return fact.text_of(f"{value:f}" if isinstance(value, Decimal) else str(value))


def _left_out(worked: Worked, session: Session) -> tuple[tuple[LeftOut, ...], tuple[Issue, ...]]:
    """Return what was left out with the facts that hang on it, and all other issues."""
    record = session.record
    told = (*session.request.issues, *record.issues())
    homes = [session.scope_of(names) for names in dict.fromkeys(fact.home for fact in worked)]
    hanging = _hanging(worked, homes)
    found: dict[tuple[str, str], LeftOut] = {}

    def leave_out(reference: str, reason: str, name: str) -> None:
        names = tuple(hanging.get((reference, name), ()))
        found.setdefault((reference, reason), LeftOut(reference, reason, names))

    issues = [] if record.closed is None else [record.closed]
    for issue in told:
        match = _NOT_USED.fullmatch(issue.diagnostics)
        if match is None:
            issues.append(issue)
        else:
            leave_out(match[1], match[2], UNREAD)
    for entry, reference in chain.from_iterable(map(not_used, homes)):
        leave_out(reference, entry.sentence, entry.fact)
    failed = [value for value in worked.values() if isinstance(value, Issue)]
    rest = (issue for issue in (*issues, *session.issues) if issue not in failed)
    return tuple(found.values()), tuple(dict.fromkeys(rest))


def _hanging(worked: Worked, homes: Iterable[Scope]) -> dict[tuple[str, str], list[str]]:
    """Return the facts that hang on left-out resources, from all Libraries."""
    found: dict[tuple[str, str], list[str]] = {}
    for home in homes:
        unknown = [
            fact.name
            for fact, value in worked.items()
            if fact.home is home.names
            and isinstance(value, FactValue)
            and not (fact.is_auxiliary or value.known.items)
        ]
        for place, names in withheld(home, unknown).items():
            found.setdefault(place, []).extend(names)
    return found


def _dated(references: Iterable[str], session: Session) -> Iterator[tuple[str, str]]:
    """Yield the day on which each resource that has one began or, without that, ended."""
    for reference in references:
        resource = session.record.resolve(reference)
        period = time_of(resource) if resource is not None else None
        if period:
            yield reference, (period.get("start") or f"until {period['end']}").partition("T")[0]
