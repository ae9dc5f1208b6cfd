"""Synthetic patients: each fact of the pathway takes each of its values, in pairs with all others.

They are drawn from the description beside the pathway, as `carepath make-patients` draws likely
ones; a number names a patient for good.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from carepath.knowledge import Knowledge
from carepath.population.people.description import Level, people_of
from carepath.population.people.making import Person as Synthetic
from carepath.population.people.making import in_pairs

PEOPLE = people_of(None)
NOW = datetime.fromisoformat(PEOPLE.now)
KNOWLEDGE = Knowledge.shipped()

FACTORS: Mapping[str, Mapping[str, Level]] = {
    factor.name: {n: level for n, level in factor.levels.items() if not level.only_likely}
    for factor in PEOPLE.factors
    if not factor.only_likely
}


def patient(number: int) -> Synthetic:
    """Return the patient with this number; each has its own draws."""
    return in_pairs(PEOPLE, number)


def patients(count: int) -> Iterator[Synthetic]:
    """Yield the first patients."""
    yield from map(partial(patient), range(count))
