"""From levels to the resources of one patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from re import compile as pattern
from typing import Any

from carepath.population.people.description import Around, People
from carepath.population.people.drawing import Levels, drawn_as_likely, drawn_in_pairs
from carepath.population.people.senders import sent
from carepath.resources import Resource

_DAY = pattern(r"\d{4}-\d\d-\d\d")
_BIRTH = "birthDate"
_SYSTEM = "https://hospital.example/synthetic-patients"


@dataclass(frozen=True)
class Person:
    """One synthetic patient: the level of each factor, and what is sent."""

    number: int
    levels: Levels
    given: list[Resource]
    parameters: Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What likely patients are asked for: the seed, how many resources, how many sloppy senders."""

    seed: int = 0
    resources: int = 0
    """How many resources each has at least; what has nothing to do with the pathway fills up."""
    sloppy: float = 0.3
    """The share of patients whose sender is careless."""


def in_pairs(people: People, number: int) -> Person:
    """Return the patient with this number in whom any level may meet any other."""
    levels = drawn_in_pairs(people, number)
    given = _resources(people, levels)
    for index, resource in enumerate(given):
        resource.setdefault("id", f"r{index}")
    return Person(number, levels, given, _parameters(people, levels))


def as_likely(people: People, number: int, wish: Wish) -> Person:
    """Return the patient with this number as one may come to a hospital."""
    draw = Random(f"{wish.seed}/{number}")  # noqa: S311 - not for secrets
    levels = drawn_as_likely(people, draw)
    given = _resources(people, levels)
    _shift(given, people, draw)
    while people.around and len(given) < wish.resources:
        given.append(_around(draw.choice(people.around), people, draw))
    own = _named(given, f"s{wish.seed}-{number}")
    if draw.random() < wish.sloppy:
        own = sent(own, draw)
    return Person(number, levels, own, _parameters(people, levels))


def _resources(people: People, levels: Levels) -> list[Resource]:
    """Return what everybody has, as the levels set it, and what they add; nothing is shared."""
    chosen = [f.levels[levels[f.name]] for f in people.factors if f.name in levels]
    made = {name: dict(resource) for name, resource in people.resources.items()}
    for level in chosen:
        for name, elements in level.set.items():
            made[name] |= elements
    return [*made.values(), *(dict(resource) for level in chosen for resource in level.add)]


def _parameters(people: People, levels: Levels) -> dict[str, list[Any]]:
    made = {name: list(values) for name, values in people.parameters.items()}
    for factor in people.factors:
        if factor.name in levels:
            level = factor.levels[levels[factor.name]]
            made |= {name: list(values) for name, values in level.parameters.items()}
    return made


def _shift(given: Sequence[Resource], people: People, draw: Random) -> None:
    """Move all days of a patient by as many days, and the birth by others."""
    days, births = draw.randint(0, people.spread.days), people.spread.birth_days
    born = draw.randint(-births, births)
    for resource in given:
        for name, value in resource.items():
            if isinstance(value, str) and _DAY.fullmatch(value):
                resource[name] = _earlier(value, born if name == _BIRTH else days)


def _earlier(day: str, days: int) -> str:
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat()


def _around(around: Around, people: People, draw: Random) -> Resource:
    """Return a resource that has nothing to do with the pathway, with a day and values."""
    made = dict(around.resource)
    made[around.date] = _earlier(people.now[:10], draw.randint(1, people.spread.around_days))
    for path, (least, most, decimals) in around.between.items():
        *outer, last = path.split(".")
        inner = made
        for name in outer:
            inner[name] = dict(inner[name])
            inner = inner[name]
        inner[last] = (
            round(draw.uniform(least, most), decimals)
            if decimals
            else draw.randint(int(least), int(most))
        )
    return made


def _named(given: Sequence[Resource], patient: str) -> list[Resource]:
    """Return resources with ids of this patient's own, and with references that follow them."""
    names: dict[str, str] = {}
    made = []
    for index, resource in enumerate(given):
        own = f"{patient}-{index}" if index else patient
        if "id" in resource:
            kind = resource["resourceType"]
            names[f"{kind}/{resource['id']}"] = f"{kind}/{own}"
        made.append({"resourceType": resource["resourceType"], "id": own, **_without_id(resource)})
    identifier = {"identifier": [{"system": _SYSTEM, "value": patient}]}
    made[0] |= identifier | {"name": [{"family": "Synthetic", "given": [patient]}]}
    return [_referring(resource, names) for resource in made]


def _without_id(resource: Resource) -> Resource:
    return {n: v for n, v in resource.items() if n not in ("resourceType", "id")}


def _referring(value: Any, names: Mapping[str, str]) -> Any:
    """Return a copy of a value in which references lead to the new names."""
    if isinstance(value, dict):
        return {
            name: names.get(inner, inner) if name == "reference" else _referring(inner, names)
            for name, inner in value.items()
        }
    return [_referring(item, names) for item in value] if isinstance(value, list | tuple) else value
