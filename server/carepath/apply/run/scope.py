"""The values that names have for one patient: worked out when first read, and at most once.

https://hl7.org/fhir/R4/fhirpath.html#vars

A Scope is what FHIRPath sees as its variables.  It remembers which facts were read, so that
`evidence` can say which resources of the record are behind a decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from weakref import proxy, ref

from carepath import deadline
from carepath.apply.compile.collection import Collection
from carepath.apply.compile.names import Fact, Names, Parameter
from carepath.apply.run.people import People
from carepath.errors import CarepathError, CyclicDefinition
from carepath.fhirpath import Environment, Known, Node
from carepath.record import Record
from carepath.resources import Resource

FAILURES = (CarepathError, RecursionError, ArithmeticError)
"""What evaluating an expression may raise because of the plan or the data."""


class Application(Protocol):
    """What scopes ask of the application that they belong to; `session` has it."""

    record: Record
    people: People
    focus: Known
    assumed: Mapping[str, Known]
    """The values of facts that count instead of what the record says."""
    failed: dict[Fact, Exception]
    """Why a fact could not be worked out."""
    pending: list[Fact]
    """The facts that are being worked out, the outermost first."""
    missing_behind: dict[Fact, tuple[str, ...]]
    verdicts: dict[tuple[str, object], Any]

    def environment(self, scope: Mapping[str, Any]) -> Environment:
        """Return the surroundings of the expressions that read their names from a scope."""

    def keep(self, fact: Fact, known: Known) -> Known:
        """Return the value of a fact, counted; raises EvaluationError when all hold too much."""

    def scope_of(self, names: Names) -> "Scope":
        """Return the scope in which the facts of a Library are worked out."""

    def collection(self, collection: Collection) -> Known:
        """Return the subject's resources that a data requirement selects."""

    def checked_parameter(self, name: str, type_name: str) -> list[Any]:
        """Return the values given for a declared parameter."""

    def engine_variable(self, name: str) -> Any:
        """Return what changes while the plan is walked; KeyError for a name nobody defines."""

    def named(self, resource: Resource) -> Any:
        """Return a resource with the name that evidence has for it."""


@dataclass(slots=True, eq=False)
class FactValue:
    """What a fact is for this patient, with the scope it was worked out in."""

    fact: Fact
    known: Known
    scope: "Scope"
    """Held weakly: a scope holds its facts, and not the other way round."""
    evidence: tuple[str, ...] | None = None
    phrase: str | None = None
    named: "tuple[FactValue, ...] | None" = None
    is_assumed: bool = False
    """Whether the caller supposed it, whatever the record says."""
    told: "dict[str, FactValue] | None" = None
    """The facts that stand in for an auxiliary one, once a reason has been written with it."""

    @property
    def values(self) -> list[Any]:
        """Return the values; one keeps its type where the bare value would lose it."""
        return plain_values(self.known.nodes())


class Scope(dict[str, Any]):
    """Variables by name; what is not here yet is worked out, or asked of the scope outside.

    The session holds its scopes, a scope its environment and its facts; the ways back are weak, so
    that all is free at once when the application ends.  The collector would need a tenth of the
    time of each application to find the circles.
    """

    __slots__ = (
        "__weakref__",
        "_session",
        "environment",
        "facts",
        "focus",
        "itself",
        "names",
        "outer",
        "traced",
    )

    def __init__(
        self, names: Names, session: Application, outer: "Scope | None", known: Any = ()
    ) -> None:
        super().__init__(known)
        self.names = names
        self._session = ref(session)
        self.focus = session.focus
        self.outer = outer
        self.facts: dict[str, FactValue] = {}
        self.traced: Any = None
        """The same names with evidence, once it was asked for."""
        self.itself: Scope = proxy(self)
        self.environment: Environment = session.environment(self.itself)

    @property
    def session(self) -> Application:
        """Return the application; whoever reads from a scope holds it."""
        session = self._session()
        if session is None:
            raise ReferenceError("the application that this scope belongs to has ended")
        return session

    def __missing__(self, name: str) -> Any:
        """Return the value of a name for the first time; KeyError when nobody defines it."""
        entry = self.names.entries.get(name)
        if entry is None:
            if self.outer is None:
                return self.session.engine_variable(name)
            return self.outer[name]
        if isinstance(entry, Fact):
            if entry.home is not self.names:
                home = self.session.scope_of(entry.home)
                value = self[name] = home[name]
                self.facts[name] = home.facts[name]
                return value
            return self._work_out(entry)
        if isinstance(entry, Collection):
            value = self[name] = self.session.collection(entry)
            return value
        return self._parameter(entry)

    def _parameter(self, entry: Parameter) -> Any:
        value = self[entry.name] = self.session.checked_parameter(entry.name, entry.type)
        return value

    def _work_out(self, fact: Fact) -> Any:
        """Evaluate a fact, once: a failure is remembered like a value and raised again."""
        deadline.check()
        session = self.session
        if fact.name in session.assumed:
            known = self[fact.name] = session.assumed[fact.name]
            self.facts[fact.name] = FactValue(
                fact, known, self.itself, evidence=(), named=(), is_assumed=True
            )
            return known
        failure = session.failed.get(fact)
        if failure is not None:
            raise failure
        if fact in session.pending:
            names = [f.name for f in session.pending[session.pending.index(fact) :]]
            raise CyclicDefinition((*(f"%{name}" for name in names), f"%{fact.name}"))
        session.pending.append(fact)
        try:
            if fact.formula.error is not None:
                raise fact.formula.error
            known = session.keep(fact, fact.formula.evaluate_known(self.focus, self.environment))
        except FAILURES as error:
            session.failed[fact] = error
            raise
        finally:
            session.pending.pop()
        self[fact.name] = known
        self.facts[fact.name] = FactValue(fact, known, self.itself)
        return known

    def fact(self, name: str) -> FactValue | None:
        """Return a fact that was worked out, None when the name is no fact or was not read."""
        found = self.facts.get(name)
        if found is not None:
            return found
        scope: Scope | None = self
        while scope is not None:
            found = scope.facts.get(name)
            if found is not None:
                return found
            entry = scope.names.entries.get(name)
            if isinstance(entry, Fact) and entry.home is not scope.names:
                return scope.session.scope_of(entry.home).facts.get(name)
            scope = scope.outer
        return None

    def definition(self, name: str) -> Fact | Collection | Parameter | None:
        """Return what a name stands for here."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names.entries:
                return scope.names.entries[name]
            scope = scope.outer
        return None

    def items_read(self, name: str) -> Sequence[Any]:
        """Return the items of a name that is no fact, if it was read already."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope:
                return Known.of(scope[name]).items
            scope = scope.outer
        return ()

    def read_facts(self, names: Iterable[str]) -> list[FactValue]:
        """Return those of the named facts that were worked out, in the order given."""
        here, fact = self.facts.get, self.fact
        return [value for name in names if (value := here(name) or fact(name)) is not None]


def plain_values(nodes: Iterable[Node]) -> list[Any]:
    """Return nodes as values; one keeps its node where the bare value would lose its type."""
    return [node.value if _is_plain(node) else node for node in nodes]


def _is_plain(node: Node) -> bool:
    value = node.value
    if isinstance(value, dict):
        return "resourceType" in value
    return node.type.startswith("System.") and isinstance(value, bool | int | str | Decimal)
