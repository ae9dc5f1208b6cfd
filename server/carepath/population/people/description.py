"""The description that synthetic patients are drawn from: a JSON file of the content.

What it may say is told in docs/population.md.  It names facts and codes, this room none.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from carepath.errors import InvalidContent
from carepath.resources import Resource

NAME = "people.json"
"""What such a file is called, beside the plan whose patients it describes."""
_CONTENT = "carepath.pathways"


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value that a factor can take, and what makes it so."""

    times: int = 1
    """How often it stands among the choices."""
    set: Mapping[str, Resource] = {}
    """Elements of the resources that everybody has, by the names of these."""
    add: Sequence[Resource] = ()
    """Resources that come on top."""
    parameters: Mapping[str, Sequence[Any]] = {}
    """Deployment parameters that the plan is to be applied with."""
    only_likely: bool = msgspec.field(default=False, name="onlyLikely")
    """Whether only likely patients have it."""


class Likely(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How likely levels are for patients who have these levels of factors drawn before."""

    weights: Mapping[str, float]
    when: Mapping[str, Sequence[str]] = {}


class Factor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something in which patients differ; the first of `likely` that fits is taken."""

    name: str
    levels: Mapping[str, Level]
    is_rare: bool = msgspec.field(default=False, name="isRare")
    """Whether half of all patients have the last level, which stands for none."""
    likely: Sequence[Likely] = ()
    only_likely: bool = msgspec.field(default=False, name="onlyLikely")
    """Whether it is drawn for likely patients only."""


class Around(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A resource that stands in many records and has nothing to do with the pathway."""

    resource: Resource
    date: str
    """The element that is set to a day."""
    between: Mapping[str, tuple[float, float, int]] = {}
    """By path of an element: the least value, the largest, and how many decimals it has."""


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """By how many days dates differ from patient to patient."""

    days: int = 0
    birth_days: int = 0
    around_days: int = 365


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole description."""

    about: str
    now: str
    """The moment at which a plan is to be applied to the patients."""
    resources: Mapping[str, Resource]
    """What everybody has, by name; the first is the Patient."""
    factors: Sequence[Factor]
    parameters: Mapping[str, Sequence[Any]] = {}
    around: Sequence[Around] = ()
    spread: Spread = Spread()


def read_people(data: bytes, name: str) -> People:
    """Return a description; raises InvalidContent naming the file and the element."""
    try:
        found = msgspec.json.decode(data, type=People)
    except msgspec.DecodeError as error:
        reason, _, place = str(error).partition(" - at ")
        raise InvalidContent(name, place.strip("`") or "file", reason) from error
    for element, reason in _problems(found):
        raise InvalidContent(name, element, reason)
    return found


def shipped_people() -> Mapping[str, People]:
    """Return the descriptions that are part of the content, by the name of their folder."""
    return _shipped()


@cache
def _shipped() -> Mapping[str, People]:
    found: dict[str, People] = {}
    for folder in sorted(files(_CONTENT).iterdir(), key=lambda entry: entry.name):
        file = folder / NAME
        if folder.is_dir() and file.is_file():
            found[folder.name] = read_people(file.read_bytes(), f"{folder.name}/{NAME}")
    return found


def people_of(file: Path | None) -> People:
    """Return the description in a file, without one the only one of the content.

    Raises InvalidContent when it cannot be used, and when there is none or a choice.
    """
    if file is not None:
        try:
            return read_people(file.read_bytes(), str(file))
        except OSError as error:
            raise InvalidContent(
                str(file), "file", f"it cannot be read ({error.strerror})"
            ) from error
    found = shipped_people()
    if len(found) != 1:
        raise InvalidContent(_CONTENT, NAME, f"{len(found)} folders hold such a file; name one")
    return next(iter(found.values()))


def _problems(people: People) -> "list[tuple[str, str]]":
    """Return what is wrong beyond the form: names that lead nowhere, and nothing to choose from."""
    found: list[tuple[str, str]] = []
    first = next(iter(people.resources.values()), {})
    if first.get("resourceType") != "Patient":
        found.append(("$.resources", "the first of them must be a Patient"))
    drawn: dict[str, Mapping[str, Level]] = {}
    for index, factor in enumerate(people.factors):
        place = f"$.factors[{index}]"
        if all(level.only_likely for level in factor.levels.values()) and not factor.only_likely:
            found.append((f"{place}.levels", "there is nothing to choose from"))
        unknown = {n for level in factor.levels.values() for n in level.set} - {*people.resources}
        found += [(f"{place}.levels", f"`{n}` is none of `resources`") for n in sorted(unknown)]
        for number, likely in enumerate(factor.likely):
            found += _of_likely(f"{place}.likely[{number}]", likely, factor, drawn)
        drawn[factor.name] = factor.levels
    return found


def _of_likely(
    place: str, likely: Likely, factor: Factor, drawn: Mapping[str, Mapping[str, Level]]
) -> "list[tuple[str, str]]":
    unknown = [n for n in likely.weights if n not in factor.levels]
    found = [(f"{place}.weights", f"`{n}` is no level of `{factor.name}`") for n in unknown]
    if min(likely.weights.values(), default=0) < 0 or not any(likely.weights.values()):
        found.append((f"{place}.weights", "they must be positive, and some must not be zero"))
    for name, levels in likely.when.items():
        wrong = [level for level in levels if level not in drawn.get(name, {})]
        if name not in drawn:
            found.append((f"{place}.when", f"`{name}` is no factor that stands before"))
        found += [(f"{place}.when", f"`{w}` is no level of `{name}`") for w in wrong]
    return found
