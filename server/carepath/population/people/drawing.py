"""Which level of each factor a patient has: each as often as any other, or as likely as described.

The first way is for tests of content: each level meets each level of every other factor, however
unlikely that is.  A number names a patient for good.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from carepath.population.people.description import Factor, People

Levels = Mapping[str, str]
_HALF = 0.5


def drawn_in_pairs(people: People, number: int) -> Levels:
    """Return levels of which each is as often as any other, but for the last of what is rare."""
    draw = Random(number)  # noqa: S311 - not for secrets
    return {factor.name: _any(factor, draw) for factor in people.factors if not factor.only_likely}


def drawn_as_likely(people: People, draw: Random) -> dict[str, str]:
    """Return levels that fit each other, as likely as the description says."""
    found: dict[str, str] = {}
    for factor in people.factors:
        names, weights = _weights(factor, found)
        found[factor.name] = draw.choices(names, weights)[0]
    return found


def _any(factor: Factor, draw: Random) -> str:
    choices = tuple(_choices(factor))
    if factor.is_rare and draw.random() < _HALF:
        return choices[-1]
    return draw.choice(choices)


def _choices(factor: Factor) -> Iterator[str]:
    for name, level in factor.levels.items():
        if not level.only_likely:
            yield from (name,) * level.times


def _weights(factor: Factor, found: Levels) -> tuple[Sequence[str], Sequence[float]]:
    for likely in factor.likely:
        if all(found[name] in levels for name, levels in likely.when.items()):
            return tuple(likely.weights), tuple(likely.weights.values())
    return tuple(factor.levels), [float(level.times) for level in factor.levels.values()]
