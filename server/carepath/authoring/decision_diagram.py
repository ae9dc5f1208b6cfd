"""Decision diagrams: functions of variables with a few classes each, with equal parts held once.

A diagram is a terminal (any hashable value) or a node of a Diagrams, which tests one variable and
goes on by its class.  Variables are tested in one order everywhere, so that two diagrams are the
same object exactly when they mean the same.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Cube = Mapping[int, frozenset[int]]
"""For some variables the classes that they may have; the others may have any."""


class TooLarge(Exception):
    """More nodes than a table for people can have."""


@dataclass(frozen=True, slots=True, eq=False)
class Inner:
    """A test of one variable, with what follows for each of its classes."""

    variable: int
    children: tuple[Any, ...]


class Diagrams:
    """Makes diagrams over variables with the given numbers of classes."""

    def __init__(self, sizes: Sequence[int], most: int) -> None:
        self.sizes = sizes
        self._most = most
        self._inner: dict[tuple[Any, ...], Inner] = {}

    def node(self, variable: int, children: tuple[Any, ...]) -> Any:
        """Return the diagram that tests a variable; raises TooLarge."""
        first = children[0]
        if all(child == first for child in children):
            return first
        key = (variable, *children)
        found = self._inner.get(key)
        if found is None:
            if len(self._inner) >= self._most:
                raise TooLarge
            found = self._inner[key] = Inner(variable, children)
        return found

    def of(self, variables: Sequence[int], value: Callable[[Mapping[int, int]], Hashable]) -> Any:
        """Return the diagram of a function of some variables (in order), asked for each choice."""

        def below(index: int, chosen: dict[int, int]) -> Any:
            if index == len(variables):
                return value(chosen)
            variable = variables[index]
            return self.node(
                variable,
                tuple(
                    below(index + 1, {**chosen, variable: choice})
                    for choice in range(self.sizes[variable])
                ),
            )

        return below(0, {})

    def combined(self, join: Callable[[Any, Any], Hashable], one: Any, other: Any) -> Any:
        """Return the diagram whose terminals are joined from those of two."""
        known: dict[tuple[Any, Any], Any] = {}

        def both(a: Any, b: Any) -> Any:
            key = (a, b)
            if key not in known:
                known[key] = self._split(join, both, a, b)
            return known[key]

        return both(one, other)

    def _split(self, join: Callable[[Any, Any], Hashable], both: Any, a: Any, b: Any) -> Any:
        tested = [d.variable for d in (a, b) if isinstance(d, Inner)]
        if not tested:
            return join(a, b)
        variable = min(tested)
        pairs = zip(self._under(a, variable), self._under(b, variable), strict=True)
        return self.node(variable, tuple(both(x, y) for x, y in pairs))

    def _under(self, diagram: Any, variable: int) -> tuple[Any, ...]:
        if isinstance(diagram, Inner) and diagram.variable == variable:
            return diagram.children
        return (diagram,) * self.sizes[variable]


def value_at(diagram: Any, choice: Mapping[int, int]) -> Any:
    """Return the terminal that a choice of classes leads to."""
    while isinstance(diagram, Inner):
        diagram = diagram.children[choice[diagram.variable]]
    return diagram


def cubes(diagram: Any, sizes: Sequence[int], most: int) -> list[tuple[Cube, Any]]:
    """Return few and large cubes that together are all choices; where two overlap they agree.

    `sizes` are the numbers of classes.  Raises TooLarge when there are more ways than `most`.
    """
    ways: list[tuple[Cube, Any]] = []
    for way in _ways(diagram, {}):
        if len(ways) >= most:
            raise TooLarge
        ways.append(way)
    grown = [(_grown(diagram, cube, sizes), outcome) for cube, outcome in ways]
    return _chosen([cube for cube, _ in ways], grown)


def _grown(diagram: Any, cube: Cube, sizes: Sequence[int]) -> Cube:
    """Return a cube that cannot be larger with the same outcome everywhere in it."""
    for variable in sorted(cube, reverse=True):
        rest = {name: classes for name, classes in cube.items() if name != variable}
        if len(_outcomes(diagram, rest)) == 1:
            cube = rest
            continue
        for choice in sorted(set(range(sizes[variable])) - cube[variable]):
            larger = {**cube, variable: cube[variable] | {choice}}
            if len(_outcomes(diagram, larger)) == 1:
                cube = larger
    return cube


def _outcomes(diagram: Any, cube: Cube) -> set[Any]:
    """Return the terminals that the choices of a cube lead to; more than two are not looked for."""
    found: set[Any] = set()
    seen: set[Any] = set()
    stack = [diagram]
    while stack and len(found) < 2:  # noqa: PLR2004
        current = stack.pop()
        if not isinstance(current, Inner):
            found.add(current)
        elif current not in seen:
            seen.add(current)
            among = cube.get(current.variable, range(len(current.children)))
            stack.extend(current.children[choice] for choice in among)
    return found


def _chosen(ways: list[Cube], grown: list[tuple[Cube, Any]]) -> list[tuple[Cube, Any]]:
    """Return as few of the grown cubes as hold all ways, in the order of the ways."""
    unique = {frozenset(cube.items()): (cube, outcome) for cube, outcome in grown}
    holds = {
        key: {number for number, way in enumerate(ways) if _is_inside(way, cube)}
        for key, (cube, _) in unique.items()
    }
    left = set(range(len(ways)))
    taken: set[Any] = set()
    while left:
        best = max(holds, key=lambda key: len(holds[key] & left))
        taken.add(best)
        left -= holds[best]
    return [entry for key, entry in unique.items() if key in taken]


def _is_inside(inner: Cube, outer: Cube) -> bool:
    """Tell whether each choice of one cube is one of another."""
    return all(
        variable in inner and inner[variable] <= classes for variable, classes in outer.items()
    )


def _ways(
    diagram: Any, above: dict[int, frozenset[int]]
) -> Iterator[tuple[dict[int, frozenset[int]], Any]]:
    if not isinstance(diagram, Inner):
        yield above, diagram
        return
    groups: dict[Any, list[int]] = {}
    for choice, child in enumerate(diagram.children):
        groups.setdefault(child, []).append(choice)
    for child, choices in groups.items():
        yield from _ways(child, {**above, diagram.variable: frozenset(choices)})
