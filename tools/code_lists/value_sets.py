"""From rows to ValueSet resources: what is there stays, what rows add joins it, all in order.

https://hl7.org/fhir/R4/valueset.html

SNOMED CT codes outside the Global Patient Set go into a set of their own that the other includes,
so that a deployment without a licence can remove the file.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tools.code_lists import notices
from tools.code_lists.rows import SYSTEMS, Heading, Row

Resource = dict[str, Any]
Concepts = dict[str, dict[str, dict[str, Any]]]
"""The concepts of a set by system and code."""

ROOT = "https://carepath.example/fhir/ValueSet/"
AFFILIATE = "-snomed-affiliate-vs"


def resource_id(name: str, *, affiliate: bool = False) -> str:
    """Return the id of a set, or of the part of it that needs a licence."""
    return f"mst-{name}{AFFILIATE if affiliate else '-vs'}"


def updated(
    present: Mapping[str, Resource], rows: Iterable[Row], headings: Mapping[str, Heading]
) -> dict[str, Resource]:
    """Return every set that rows or headings name, by id, as it has to be.

    `present` are the sets there are, by id; KeyError names a new set without heading.
    """
    by_set: dict[str, list[Row]] = {name: [] for name in headings}
    for row in rows:
        by_set.setdefault(row.value_set, []).append(row)
    made = (_pair(name, by_set[name], present, headings) for name in sorted(by_set))
    return {resource["id"]: resource for pair in made for resource in pair}


def _pair(
    name: str,
    rows: list[Row],
    present: Mapping[str, Resource],
    headings: Mapping[str, Heading],
) -> list[Resource]:
    """Return the set, and the part of it that needs a licence when there is one."""
    main_id, part_id = resource_id(name), resource_id(name, affiliate=True)
    main = present.get(main_id) or _new(main_id, headings[name])
    part = present.get(part_id)
    if part is None and any(row.needs_licence for row in rows):
        part = _part_of(main, part_id)
    joins = [*_joined(main), *(ROOT + resource_id(join) for join in _joins(name, headings))]
    if part is None:
        return [_composed(main, _merged(main, rows), joins)]
    free = [row for row in rows if not row.needs_licence]
    licensed = [row for row in rows if row.needs_licence]
    return [
        _composed(main, _merged(main, free, without=licensed), [*joins, ROOT + part_id]),
        _composed(part, _merged(part, licensed, without=free), []),
    ]


def _joins(name: str, headings: Mapping[str, Heading]) -> tuple[str, ...]:
    return headings[name].joins if name in headings else ()


def _new(identifier: str, heading: Heading) -> Resource:
    """Return a set without codes."""
    return {
        "resourceType": "ValueSet",
        "id": identifier,
        "url": ROOT + identifier,
        "version": "0.1.0",
        "name": "".join(word.capitalize() for word in identifier.split("-")),
        "title": heading.title,
        "status": "draft",
        "experimental": True,
        "date": notices.DATE,
        "publisher": "Carepath",
        "description": heading.description,
        "compose": {"include": []},
    }


def _part_of(main: Resource, identifier: str) -> Resource:
    """Return the empty part of a set that needs a licence."""
    title = f"{main['title']} (SNOMED CT outside the Global Patient Set)"
    description = main["description"].removesuffix(".") + notices.LICENSED_PART
    return _new(identifier, Heading(title, description, ()))


def _joined(resource: Resource) -> list[str]:
    """Return the sets that a set includes, in order."""
    includes = resource["compose"]["include"]
    return [url for include in includes for url in include.get("valueSet") or ()]


def _merged(resource: Resource, rows: list[Row], without: Iterable[Row] = ()) -> Concepts:
    """Return the concepts of a set and of rows; a label that is there stays."""
    found: Concepts = {}
    for include in resource["compose"]["include"]:
        for concept in include.get("concept") or ():
            found.setdefault(include["system"], {})[concept["code"]] = concept
    for row in rows:
        concept = {"code": row.code, "display": row.label}
        found.setdefault(row.system, {}).setdefault(row.code, concept)
    for row in without:
        found.get(row.system, {}).pop(row.code, None)
    return found


def _composed(resource: Resource, concepts: Concepts, joins: list[str]) -> Resource:
    """Return a set with these codes in order, these sets, and the notices of their systems."""
    systems = sorted((s for s in concepts if concepts[s]), key=_rank)
    include: list[Resource] = [
        {"system": system, "concept": [concepts[system][code] for code in sorted(concepts[system])]}
        for system in systems
    ]
    include += [{"valueSet": [url]} for url in dict.fromkeys(joins)]
    text = notices.copyright_of(systems, licensed=resource["id"].endswith(AFFILIATE))
    head = {key: value for key, value in resource.items() if key not in ("copyright", "compose")}
    return {**head, **({"copyright": text} if text else {}), "compose": {"include": include}}


def _rank(system: str) -> tuple[int, str]:
    """Order the systems of rows first, as they stand there."""
    order = list(SYSTEMS.values())
    return (order.index(system) if system in order else len(order), system)
