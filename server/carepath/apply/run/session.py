"""One application in progress: patient, people, what was worked out, what was made.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from carepath.apply.compile.collection import Collection
from carepath.apply.compile.compiled import CompiledPlan
from carepath.apply.compile.names import Fact, Names
from carepath.apply.request import ApplyRequest
from carepath.apply.run.people import People
from carepath.apply.run.profiled import of_profiles
from carepath.apply.run.questions import NO_QUESTIONS, Questions, Undecided, questions
from carepath.apply.run.scope import FactValue, Scope
from carepath.errors import EvaluationError
from carepath.fhirpath import Allowance, DateTime, Environment, Known, Limits, Node, Touched
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource

_NO_NAMES = Names("")
_LIMITS = Limits(steps=200_000, items=20_000)
"""One record is small; an expression that needs more than this would hold up everybody else."""
_CHARACTERS = 20_000_000
"""What the strings of all expressions of one application may have together."""
_ITEMS = 2_000_000
"""How many items all facts may hold together: they are kept until the application ends."""


class Session:
    """What the parts of one application share; nothing of it outlives the application."""

    def __init__(self, request: ApplyRequest, knowledge: Knowledge) -> None:
        self.request = request
        self.knowledge = knowledge
        self.record = request.patient_record().as_of(request.now)
        self.patient: Resource = self.record.subject or {}
        self.focus = Known.of(self.patient)
        self.assumed: Mapping[str, Known] = {
            name: Known.of(list(values)) for name, values in request.assumed.items()
        }
        self.people = People(request, self.record)
        self.now = request.now
        self.today = request.now.date().isoformat()
        self.failed: dict[Fact, Exception] = {}
        self.pending: list[Fact] = []
        self.missing_behind: dict[Fact, tuple[str, ...]] = {}
        self.verdicts: dict[tuple[str, object], Any] = {}
        self.gaps: list[tuple[str, str]] = []
        self._gaps = Known([])
        self.undecided: list[Undecided] = []
        self._allowance = Allowance(_CHARACTERS)
        self._items_left = _ITEMS
        self._questions: tuple[int, Questions] = (0, NO_QUESTIONS)
        self.issues: list[Issue] = []
        self._homes: dict[Names, Scope] = {}
        self._evidence: dict[str, Resource] = {}
        self.root = Scope(_NO_NAMES, self, None, self._known())

    def environment(self, scope: Mapping[str, Any]) -> Environment:
        """Return the surroundings of the expressions that read their names from a scope."""
        return Environment(
            now=self.now,
            variables=scope,
            resource=self.focus,
            root_resource=self.focus,
            context=self.focus,
            resolver=self.record.resolve,
            holder=self.record.holder,
            terminology=self.knowledge.terminology,
            limits=_LIMITS,
            allowance=self._allowance,
        )

    def keep(self, fact: Fact, known: Known) -> Known:
        """Return the value of a fact, counted; raises EvaluationError when all hold too much."""
        self._items_left -= len(known.items)
        if self._items_left < 0:
            text, reason = fact.formula.text, f"all facts hold more than {_ITEMS} items"
            raise EvaluationError(text, text, reason)
        return known

    def scope_of(self, names: Names) -> Scope:
        """Return the scope in which the facts of a Library are worked out, one for all plans."""
        found = self._homes.get(names)
        if found is None:
            found = self._homes[names] = Scope(names, self, self.root)
        return found

    def scope_of_plan(self, plan: CompiledPlan, outer: Scope | None) -> Scope:
        """Return the scope of one use of a plan, inside of the one that leads to it."""
        scope = Scope(plan.names, self, outer or self.root)
        scope["planDefinition"] = Node(plan.source, "PlanDefinition")
        return scope

    def action_node(self, action: Resource) -> Node:
        """Return the action that is being applied, as `%action`."""
        return Node(action, "PlanDefinition.action")

    def collection(self, collection: Collection) -> Known:
        """Return the subject's resources that a data requirement selects."""
        found = collection.select(
            self.record,
            self.knowledge.terminology,
            self.now,
            lambda some, profiles: of_profiles(some, profiles, self.knowledge, self.now),
        )
        return Known.of([self.named(resource) for resource in found])

    def named(self, resource: Resource) -> Any:
        """Return a resource that only its full URL names, with that name as its evidence."""
        if "id" in resource:
            return resource
        name = self.record.reference_to(resource)
        resource_type = resource["resourceType"]
        return Node(resource, resource_type, (Touched(name, resource_type),)) if name else resource

    def parameter(self, name: str) -> list[Any]:
        """Return the values given for a parameter, empty when there are none."""
        return [_typed(value) for value in _as_list(self.request.parameters.get(name))]

    def checked_parameter(self, name: str, type_name: str) -> list[Any]:
        """Return the values given for a declared parameter; one of another type stays unset."""
        values = self.parameter(name)
        accepts = _ACCEPTS.get(type_name)
        if accepts is None or all(map(accepts, values)):
            return values
        text = f"The parameter `{name}` is no {type_name} and was not used."
        self.issues.append(Issue("error", "value", text))
        return []

    def note_unread_parameters(self, read: frozenset[str]) -> None:
        """Warn of parameters that nothing reads: a misspelt one would be missed in silence."""
        known = ", ".join(f"`{name}`" for name in sorted(read)) or "none"
        for name in self.request.parameters:
            if name not in read:
                text = (
                    f"The parameter `{name}` is read by no library, plan or action; known: {known}."
                )
                self.issues.append(Issue("warning", "not-found", text))

    def engine_variable(self, name: str) -> Any:
        """Return what changes while the plan is walked; KeyError for a name nobody defines."""
        if name == "unread":
            return Known.of([self.named(resource) for resource in self.record.unread()])
        if name in ("questions", "laterQuestions"):
            return self.asked().now if name == "questions" else self.asked().later
        if name != "gaps":
            raise KeyError(name)
        if len(self._gaps.items) < len(self.gaps):
            # Gaps are only ever added, so what was read before is right until there is another.
            nodes = [
                Node({"name": fact, "valueString": title}, "Parameters.parameter")
                for fact, title in self.gaps
            ]
            self._gaps = Known.of(nodes)
        return self._gaps

    def asked(self) -> Questions:
        """Return the questions, worked out again when there is another undecided action."""
        if self._questions[0] < len(self.undecided):
            self._questions = (len(self.undecided), questions(self.undecided, self))
        return self._questions[1]

    def read_facts(self, name: str) -> list[FactValue]:
        """Return what a name stood for in each Library in which it was read as a fact."""
        return [scope.facts[name] for scope in self._homes.values() if name in scope.facts]

    def facts_worked_out(self) -> list[tuple[Fact, Known | None]]:
        """Return each fact of a Library that was asked for with its value; None where it failed."""
        known = [(v.fact, v.known) for scope in self._homes.values() for v in scope.facts.values()]
        return [*known, *((fact, None) for fact in self.failed)]

    def left_out(self) -> list[Issue]:
        """Return an issue for each resource that the content did not use, with its reason.

        Only facts that were asked for are told about: nothing hung on the others.
        """
        told: dict[tuple[str, str], None] = {}
        for names, scope in self._homes.items():
            for entry in names.left_out:
                value = scope.facts.get(entry.fact)
                for item in value.known.items if value is not None else ():
                    if type(item[0]) is dict:
                        told[(self.record.reference_to(item[0]), entry.sentence)] = None
        return [
            Issue("information", "business-rule", f"`{reference}` {sentence}.")
            for reference, sentence in told
        ]

    def resource_types(self, references: Sequence[str]) -> list[tuple[str, Resource]]:
        """Return type and Reference of each piece of evidence; the same Reference each time."""
        found = []
        for reference in references:
            made = self._evidence.get(reference)
            if made is None:
                made = self._evidence[reference] = {"reference": reference}
            resource_type = reference.partition("/")[0]
            if "/" not in reference:
                resource = self.record.resolve(reference) or {}
                resource_type = str(resource.get("resourceType", ""))
            found.append((resource_type, made))
        return found

    def _known(self) -> dict[str, Any]:
        """Return the variables that the operation itself gives; an unset one is empty."""
        given = {name: self.parameter(name) for name in self.request.parameters}
        request = self.request
        return {
            **given,
            "subject": self.focus,
            "patient": self.focus if self.people.of_type("Patient") is not None else [],
            "encounter": self.people.resource(request.encounter),
            "practitioner": self.people.resource(request.practitioner),
            "organization": self.people.resource(request.organization),
            "userType": _concept(request.user_type),
            "userLanguage": _concept(request.user_language),
            "userTaskContext": _concept(request.user_task_context),
            "setting": _concept(request.setting),
            "settingContext": _concept(request.setting_context),
            "planDefinition": [],
            "activityDefinition": [],
            "action": [],
            "now": Known.of(DateTime.of(self.now)),
        }


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


_SHAPES = (
    ("coding", "CodeableConcept"),
    ("reference", "Reference"),
    ("value", "Quantity"),
    ("low", "Range"),
    ("high", "Range"),
    ("start", "Period"),
    ("end", "Period"),
    ("code", "Coding"),
    ("text", "CodeableConcept"),
)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


_ACCEPTS: Mapping[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "decimal": _is_number,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "code": lambda value: isinstance(value, str),
}


def _typed(value: Any) -> Any:
    """Return a parameter's object as a Node of the type that its properties tell."""
    if not isinstance(value, dict) or "resourceType" in value:
        return value
    type_name = next((name for key, name in _SHAPES if key in value), None)
    return value if type_name is None else Node(value, type_name)


def _concept(value: Resource | None) -> list[Node]:
    return [] if value is None else [Node(value, "CodeableConcept")]
