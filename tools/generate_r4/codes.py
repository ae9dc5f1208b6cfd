"""The codes of every value set that an R4 element is bound to with strength `required`.

A value set whose codes are not enumerated in the package (MIME types, currencies, UCUM units, a
LOINC answer list) is left out: its codes are not known here.
"""

from collections.abc import Iterator
from typing import Any

from tools.generate_r4.source import Definition, Definitions


def table(definitions: Definitions) -> dict[str, Any]:
    """Return `{value set url: {name, codes: {system: [code]}}}`."""
    value_sets = {one["url"]: one for one in definitions.of_type("ValueSet")}
    systems = {one["url"]: one for one in definitions.of_type("CodeSystem")}
    codes: dict[str, Any] = {}
    for url in sorted(set(_required(definitions))):
        if url not in value_sets:
            continue
        expansion = _expansion(value_sets[url], systems)
        if expansion is not None:
            codes[url] = {"name": value_sets[url]["name"], "codes": expansion}
    return codes


def _required(definitions: Definitions) -> Iterator[str]:
    for definition in definitions.types():
        for element in definition["snapshot"]["element"]:
            binding = element.get("binding", {})
            if binding.get("strength") == "required":
                yield binding["valueSet"].partition("|")[0]


def _expansion(value_set: Definition, systems: dict[str, Definition]) -> dict[str, Any] | None:
    compose = value_set["compose"]
    expansion: dict[str, list[str]] = {}
    for include in compose["include"]:
        codes = _included(include, systems)
        if codes is None or "exclude" in compose:
            return None
        expansion.setdefault(include["system"], []).extend(codes)
    return expansion


def _included(include: Definition, systems: dict[str, Definition]) -> list[str] | None:
    if "filter" in include or "valueSet" in include:
        return None
    if "concept" in include:
        return [concept["code"] for concept in include["concept"]]
    system = systems.get(include["system"])
    if system is None or system["content"] != "complete":
        return None
    return list(_concepts(system))


def _concepts(parent: Definition) -> Iterator[str]:
    for concept in parent.get("concept", ()):
        yield concept["code"]
        yield from _concepts(concept)
