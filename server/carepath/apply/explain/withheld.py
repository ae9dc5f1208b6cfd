"""Which facts would be known if a resource were not left out.

A Library says which of its facts hold resources that are not used or decide nothing.  To learn
what hangs on such a resource, the unknown facts are worked out again as if it did not stand there:
that is right whatever the expressions look like, where reading them could only guess.
"""

from collections.abc import Collection as Container
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from carepath.apply.compile.collection import Collection
from carepath.apply.compile.names import Fact, LeftOut
from carepath.apply.run.scope import FAILURES, Scope
from carepath.fhirpath import Known

UNREAD = "unread"
"""What the operation calls the resources that say what is not understood."""

_MOST = 50
"""Each resource costs some evaluations, and nobody reads about more of them."""

Place = tuple[str, str]
"""A reference to a resource, and the fact of left-out resources (or `unread`) it stands in."""


def not_used(home: Scope) -> Iterator[tuple[LeftOut, str]]:
    """Yield what a Library says of left-out resources, with a reference to each of them.

    Only facts that were worked out tell of any.
    """
    for entry in home.names.left_out:
        value = home.facts.get(entry.fact)
        for reference in _references(value.known if value is not None else None, home):
            yield entry, reference


def withheld(home: Scope, unknown: Sequence[str]) -> dict[Place, tuple[str, ...]]:
    """Return which of the unknown facts hang on which left-out resource.

    `home` is the scope in which the facts of a Library were worked out.  A fact hangs on a resource
    when it is known without it, or when it is known without any of them and this one alone takes
    that away.
    """
    trial = _Trial(home)
    tried = list(trial.standing)[:_MOST]
    found = {reference: trial.known_without([reference], unknown) for reference in tried}
    rest = [name for name in unknown if all(name not in known for known in found.values())]
    for reference, names in _together(trial, tried, rest):
        found[reference] = [name for name in unknown if name in (*found[reference], *names)]
    return {
        (reference, name): tuple(facts)
        for reference, facts in found.items()
        for name in trial.standing[reference]
    }


def _together(
    trial: "_Trial", tried: Sequence[str], asked: Sequence[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield what each resource alone keeps unknown, of the facts that several keep unknown."""
    everything = trial.standing.keys()
    known = trial.known_without(everything, asked) if len(everything) > 1 else []
    for reference in tried if known else ():
        left = trial.known_without(everything - {reference}, known)
        yield reference, [name for name in known if name not in left]


class _Trial:
    """The facts of a Library, worked out again as if some resources were not left out."""

    def __init__(self, home: Scope) -> None:
        self._home = home
        self._reach: dict[str, frozenset[str]] = {}
        self.standing: Mapping[str, frozenset[str]] = _standing(home)

    def known_without(self, references: Container[str], asked: Iterable[str]) -> list[str]:
        """Return which facts have a value when some resources do not stand where they do."""
        names = frozenset(chain.from_iterable(self.standing[r] for r in references))
        concerned = [name for name in asked if self._reach_of(name) & names]
        if not concerned:
            return []
        scope = self._supposing(references, names)
        return [name for name in concerned if _has_value(scope, name)]

    def _supposing(self, without: Container[str], names: frozenset[str]) -> Scope:
        """Return a scope with other values for some facts, and nothing yet for what reads them."""
        home = self._home
        scope = Scope(home.names, home.session, home.outer)
        for name in names:
            items = Known.of(home[name]).items
            scope[name] = Known([item for item in items if _name_of(item, home) not in without])
        for name, entry in home.names.entries.items():
            is_same = isinstance(entry, Collection) or not self._reach_of(name) & names
            if is_same and name in home:
                scope[name] = home[name]
        return scope

    def _reach_of(self, name: str) -> frozenset[str]:
        """Return all names that a fact reads, through whatever other facts, itself included."""
        if name not in self._reach:
            self._reach[name] = frozenset({name})  # So that a circle has an end.
            entry = self._home.names.entries.get(name)
            inner = entry.formula.variables if isinstance(entry, Fact) else ()
            self._reach[name] = self._reach[name].union(*map(self._reach_of, inner))
        return self._reach[name]


def _standing(home: Scope) -> dict[str, frozenset[str]]:
    """Return the left-out resources, each with the names of all facts that it stands in."""
    found: dict[str, set[str]] = {}
    for entry, reference in not_used(home):
        found.setdefault(reference, set()).add(entry.fact)
    for reference in _references(home[UNREAD], home):
        found.setdefault(reference, set()).add(UNREAD)
    return {reference: frozenset(names) for reference, names in found.items()}


def _references(known: Known | None, home: Scope) -> Iterator[str]:
    """Return references to the resources among some values; one without a name has none."""
    names = (_name_of(item, home) for item in (known.items if known is not None else ()))
    return filter(None, names)


def _name_of(item: Any, home: Scope) -> str:
    """Return a reference to an item of the engine, an empty string when it is no resource."""
    return home.session.record.reference_to(item[0]) if type(item[0]) is dict else ""


def _has_value(scope: Scope, name: str) -> bool:
    try:
        return bool(Known.of(scope[name]).items)
    except FAILURES:
        return False
