"""What the conditions of a plan read, and into which classes the values of each fact fall.

A class holds the values that no condition of a table tells apart.  A fact with one value gives one
variable; one that is a collection (`%names contains 'x'`) gives a variable for each member that
is asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from carepath.apply.compile.names import FACT, named_expressions, value_texts
from carepath.authoring.coverage_outcomes import never_empty
from carepath.fhirpath import parse
from carepath.fhirpath.nodes import Ast, Binary, Call, Literal, Variable, walk
from carepath.knowledge import Knowledge

UNKNOWN = "unknown"
OTHER = "other"
"""Stands for the values of a fact whose values the Library does not list."""
ANYTHING = "anything"
"""Stands for some member of a collection that is only asked whether it has one."""
_ORDERING = frozenset({"<", "<=", ">", ">="})
_COMPARING = frozenset({"=", "!=", "~", "!~", "<", ">", "<=", ">=", "in"})
_EMPTY_ASKED = frozenset({"exists", "empty"})


@dataclass(frozen=True, slots=True)
class Class:
    """Values of a fact that a table does not tell apart; no values is the fact unknown."""

    label: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One variable of a table: a fact, or whether `member` is in it, with its classes."""

    fact: str
    member: str
    classes: tuple[Class, ...]

    @property
    def name(self) -> str:
        """Return the column as an author writes it."""
        return f"{self.fact} contains {self.member}" if self.member else self.fact


@dataclass(frozen=True)
class Vocabulary:
    """What is known of the values of facts, from the plans and the Libraries."""

    values: Mapping[str, tuple[Any, ...]]
    collections: frozenset[str]
    thresholds: Mapping[str, tuple[Decimal, ...]]
    always: frozenset[str]
    """Facts that have a value for every patient."""


@dataclass
class _Read:
    """What expressions compare facts with, as they are gone through."""

    literals: dict[str, dict[Any, None]] = field(default_factory=lambda: defaultdict(dict))
    thresholds: dict[str, dict[Decimal, None]] = field(default_factory=lambda: defaultdict(dict))
    members: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    empty_asked: set[str] = field(default_factory=set)

    def add(self, node: Ast) -> None:
        """Note what one node compares."""
        if isinstance(node, Binary) and node.operator in _COMPARING:
            self._compared(node)
        elif isinstance(node, Binary) and node.operator == "contains":
            name = variable_under(node.left)
            self.members[name].update(dict.fromkeys(_literals(node.right)))
        elif isinstance(node, Call) and node.source is not None:
            self._called(node, variable_under(node.source))

    def _compared(self, node: Binary) -> None:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Variable):
                found = list(_literals(other))
                exact = [Decimal(v) for v in found if _is_threshold(v, node.operator)]
                self.thresholds[one.name].update(dict.fromkeys(exact))
                self.literals[one.name].update(dict.fromkeys(exact or found))

    def _called(self, node: Call, name: str) -> None:
        found = [value for argument in node.arguments for value in _literals(argument)]
        if node.name in _EMPTY_ASKED and not node.arguments and isinstance(node.source, Variable):
            self.empty_asked.add(name)
        if name and node.name == "exists":
            self.members[name].update((str(value), None) for value in found)
        elif isinstance(node.source, Variable) and node.name == "where":
            self.literals[name].update(dict.fromkeys(found))


def _is_threshold(value: Any, operator: str) -> bool:
    """Tell whether a fact is ordered against a number, or compared with one with a fraction."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, Decimal) or (is_whole and operator in _ORDERING)


def read_in(texts: Iterable[str]) -> _Read:
    """Return what the expressions compare each fact with."""
    read = _Read()
    for text in texts:
        for node in walk(parse(text).ast):
            read.add(node)
    return read


def facts_in(text: str) -> list[str]:
    """Return the names of the facts that an expression reads, in the order written."""
    parts = walk(parse(text).ast)
    return list(dict.fromkeys(part.name for part in parts if isinstance(part, Variable)))


def vocabulary_of(knowledge: Knowledge, conditions: Iterable[str]) -> Vocabulary:
    """Return the values that facts can have: those in the words of the Library and those compared.

    `conditions` are those of all plans.
    """
    read = read_in(conditions)
    collections = frozenset(name for name, members in read.members.items() if members)
    told = dict(_told_values(knowledge))
    values: dict[str, tuple[Any, ...]] = {}
    for name in {*told, *read.literals}:
        compared = list(read.literals.get(name, ()))
        if compared and all(isinstance(value, bool) for value in compared):
            continue
        whole = all(isinstance(value, int) for value in compared) and bool(compared)
        listed = [int(v) if whole else v for v in told.get(name, ())]
        others = [] if set(compared) <= set(listed) else [OTHER]
        values[name] = tuple(dict.fromkeys([*listed, *compared, *others]))
    # A fact that may have no value is asked whether it is there; the others always have one.
    always = never_empty(knowledge) - read.empty_asked - collections
    thresholds = {name: tuple(sorted(found)) for name, found in read.thresholds.items() if found}
    return Vocabulary(values, collections, thresholds, always)


def columns_of(texts: Iterable[str], vocabulary: Vocabulary) -> tuple[Column, ...]:
    """Return the variables of a table that holds these conditions, in the order they are read."""
    texts = list(texts)
    read = read_in(texts)
    found: list[Column] = []
    for name in dict.fromkeys(name for text in texts for name in facts_in(text)):
        if name in vocabulary.collections:
            found.extend(_members(name, read))
        else:
            found.append(Column(name, "", _classes(name, read, vocabulary)))
    return tuple(found)


def _members(name: str, read: _Read) -> Iterator[Column]:
    """Yield a column for each member, and one for any member where no member is named."""
    members = list(read.members.get(name, ()))
    if name in read.empty_asked or not members:
        members.append(ANYTHING)
    for member in members:
        yield Column(name, member, (Class("yes", (member,)), Class("no", ())))


def _classes(name: str, read: _Read, vocabulary: Vocabulary) -> tuple[Class, ...]:
    if name in vocabulary.thresholds:
        known = list(_intervals(vocabulary.thresholds[name]))
    elif name in vocabulary.values:
        known = list(_listed(vocabulary.values[name], read.literals.get(name, ())))
    else:
        known = [Class("yes", (True,)), Class("no", (False,))]
    if name not in vocabulary.always:
        known.append(Class(UNKNOWN, ()))
    return tuple(known)


def _listed(values: tuple[Any, ...], compared: Iterable[Any]) -> Iterator[Class]:
    """Yield each value that is compared with, then the others together."""
    if any(isinstance(value, int) for value in values):
        compared = values
    compared = list(compared)
    for value in compared:
        yield Class(str(value), (value,))
    others = tuple(value for value in values if value not in compared)
    if others:
        label = " | ".join(map(str, others)) if len(others) < 3 else "another"  # noqa: PLR2004
        yield Class(label, others)


def _intervals(thresholds: tuple[Decimal, ...]) -> Iterator[Class]:
    """Yield what lies below, at and above each threshold."""
    step = Decimal("0.1")
    for index, value in enumerate(thresholds):
        if index == 0:
            yield Class(f"< {value}", (value - step,))
        yield Class(str(value), (value,))
        yield Class(f"> {value}", (value + step,))


def class_of(column: Column, values: list[Any], vocabulary: Vocabulary) -> str:
    """Return the label of the class that a patient's values of a fact fall in, empty for none."""
    if column.member:
        asked = column.member in values or (column.member == ANYTHING and bool(values))
        return "yes" if asked else "no"
    if not values:
        return UNKNOWN if any(c.label == UNKNOWN for c in column.classes) else ""
    value = values[0]
    thresholds = vocabulary.thresholds.get(column.fact)
    if thresholds:
        return _interval_of(Decimal(str(value)), thresholds)
    labels = [c.label for c in column.classes if value in c.values]
    if not labels and not isinstance(value, bool) and column.fact not in vocabulary.values:
        return "yes"  # A fact that is only asked whether it is there.
    if not labels:
        labels = [c.label for c in column.classes if OTHER in c.values]
    return labels[0] if labels else ""


def _interval_of(value: Decimal, thresholds: tuple[Decimal, ...]) -> str:
    found = f"< {thresholds[0]}"
    for threshold in thresholds:
        if value == threshold:
            return str(threshold)
        if value > threshold:
            found = f"> {threshold}"
    return found


def _told_values(knowledge: Knowledge) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each fact that has words for its values, with the values."""
    for library in knowledge.all("Library"):
        for fact in named_expressions(library.get("extension"), FACT):
            texts = value_texts(fact)
            if texts:
                yield fact["name"], tuple(texts)


def variable_under(node: Ast) -> str:
    """Return the name of the variable that a chain of calls starts from, empty for none."""
    while isinstance(node, Call) and node.source is not None:
        node = node.source
    return node.name if isinstance(node, Variable) else ""


def _literals(node: Ast) -> Iterator[Any]:
    return (part.value for part in walk(node) if isinstance(part, Literal))
