"""The package of what R4 publishes beside its types: profiles, extensions, codes, value sets.

It holds definitions as they are published, without what nobody here reads: narratives, publishers,
mappings, snapshots (a differential says all that a profile adds).  Left out are also code systems
that HL7 does not own, and what such systems call the codes that a value set lists.

Two bindings are left out: the units of the parts of a vital sign, for the parts of an oxygen
saturation are litres per minute, which are not among them; and the work groups of HL7, which come
and go.

An extension may also stand where HL7's pack of extensions (hl7.fhir.uv.extensions.r4
5.3.0-ballot-tc1, CC0-1.0) has let it stand since, and where R4's own definitions have it;
`contexts.json` holds what that adds.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tools.generate_r4.source import Definition, Definitions

INDEX = "index.json"
_SHARD_BYTES = 60_000
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_OURS = ("http://hl7.org/fhir/", "http://terminology.hl7.org/", "http://cds-hooks.hl7.org/")
_CONTEXTS: dict[str, list[Definition]] = json.loads(
    Path(__file__).with_name("contexts.json").read_text("utf-8")
)
_KEPT = frozenset(
    {
        *("resourceType", "url", "version", "name", "title", "status"),
        *("type", "baseDefinition", "derivation", "context", "differential"),
        *("content", "caseSensitive", "hierarchyMeaning", "supplements", "concept"),
        *("compose", "expansion"),
    }
)
_OF_ELEMENT = frozenset(
    {
        *("id", "path", "sliceName", "slicing", "min", "max", "type", "isModifier", "maxLength"),
        *("contentReference", "constraint", "binding"),
    }
)
_VALUES = ("fixed", "pattern", "minValue", "maxValue")
_LIFTED = frozenset(
    {
        ("vitalsigns", "Observation.component.value[x]"),
        ("structuredefinition-wg", "Extension.value[x]"),
    }
)
_OF_PART = {
    "constraint": ("key", "severity", "human", "expression"),
    "binding": ("strength", "valueSet"),
}


def entries(definitions: Definitions) -> dict[str, bytes]:
    """Return the entries of the package by name: shards of definitions, and what stands where."""
    index: dict[str, dict[str, int]] = {"StructureDefinition": {}, "CodeSystem": {}, "ValueSet": {}}
    found: dict[str, bytes] = {}
    shards = _shards(_lean(one) for one in _wanted(definitions, index))
    for number, shard in enumerate(shards):
        for definition in shard:
            index[definition["resourceType"]][definition["url"]] = number
        found[f"{number}.json"] = _bytes(shard)
    return {INDEX: _bytes(index), **found}


def write(path: Path, content: dict[str, bytes]) -> None:
    """Write the package, the same bytes for the same content."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=9)


def _wanted(definitions: Definitions, types: Iterable[str]) -> Iterator[Definition]:
    for resource_type in types:
        of_type = definitions.of_type(resource_type)
        if resource_type == "StructureDefinition":
            of_type = [d for d in of_type if d.get("derivation") == "constraint"]
            of_type = [d for d in of_type if d["kind"] != "logical"]
        if resource_type == "CodeSystem":
            of_type = [d for d in of_type if d["url"].startswith(_OURS)]
            of_type = [d for d in of_type if d["content"] in ("complete", "fragment", "example")]
        yield from sorted(of_type, key=lambda one: str(one["url"]))


def _shards(definitions: Iterable[Definition]) -> Iterator[list[Definition]]:
    """Yield groups of definitions of one type, each small enough to be read for one of them."""
    shard: list[Definition] = []
    size = 0
    for definition in definitions:
        grown = size + len(_bytes(definition))
        if shard and (grown > _SHARD_BYTES or _type(shard[0]) != _type(definition)):
            yield shard
            shard, grown = [], len(_bytes(definition))
        shard.append(definition)
        size = grown
    yield shard


def _type(definition: Definition) -> str:
    return str(definition["resourceType"])


def _lean(definition: Definition) -> Definition:
    kept = {name: value for name, value in definition.items() if name in _KEPT}
    if "differential" in kept:
        elements = [_lean_element(one) for one in definition["differential"]["element"]]
        for one in elements:
            if (definition["id"], one["id"]) in _LIFTED:
                del one["binding"]
        whole = definition.get("snapshot", definition["differential"])["element"]
        elements[0] |= _meaning(whole[0])
        kept["differential"] = {"element": elements}
    if "context" in kept:
        kept["context"] = [*kept["context"], *_CONTEXTS.get(definition["url"], ())]
    if "compose" in kept:
        kept["compose"] = _lean_compose(definition["compose"])
    return kept


def _meaning(root: Definition) -> Definition:
    """Return whether an extension can turn the meaning, which some say in the snapshot only."""
    return {"isModifier": True} if root.get("isModifier") else {}


def _lean_element(element: Definition) -> Definition:
    kept = {
        name: value
        for name, value in element.items()
        if name in _OF_ELEMENT or name.startswith(_VALUES)
    }
    for name, parts in _OF_PART.items():
        if name in kept:
            kept[name] = _only(kept[name], parts)
    return kept


def _only(value: Any, names: Iterable[str]) -> Any:
    if isinstance(value, list):
        return [_only(one, names) for one in value]
    return {name: value[name] for name in names if name in value}


def _lean_compose(compose: Definition) -> Definition:
    return {
        part: [_lean_include(one) for one in compose[part]]
        for part in ("include", "exclude")
        if part in compose
    }


def _lean_include(include: Definition) -> Definition:
    kept = {name: value for name, value in include.items() if name != "extension"}
    if "concept" in kept:
        is_ours = str(kept.get("system")).startswith(_OURS)
        names = ("code", "display") if is_ours else ("code",)
        kept["concept"] = _only(kept["concept"], names)
    return kept


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
