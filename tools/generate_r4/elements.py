"""The table of types and elements, from the snapshots of the StructureDefinitions.

A row is `[name, min, max, flags, types, binding?]`.  Flags: 1 summary, 2 modifier, 4 XML attribute.
Types: one `[type, target...]` for each type; a name that ends in `[x]` is a choice.  Elements
that a type has from its base are listed once, with the base.
"""

from typing import Any

from tools.generate_r4.source import ROOT, Definition, Definitions

SUMMARY, MODIFIER, ATTRIBUTE = 1, 2, 4
_FHIR_TYPE = ROOT + "structuredefinition-fhir-type"
_REGEX = ROOT + "regex"
_SYSTEM = "http://hl7.org/fhirpath/System."
_BACKBONES = ("BackboneElement", "Element")


def table(definitions: Definitions) -> dict[str, Any]:
    """Return `{name: {base, kind, abstract?, pattern?, elements}}`, backbones included."""
    types: dict[str, Any] = {}
    for definition in definitions.types():
        types |= _types_of(definition)
    for one in list(types.values()):
        one["elements"] = _own_rows(one, types)
    return dict(sorted(types.items()))


def _types_of(definition: Definition) -> dict[str, Any]:
    """Return the type and the backbones that it defines."""
    root, kind = definition["type"], definition["kind"].removesuffix("-type")
    base = definition.get("baseDefinition", "").removeprefix(ROOT)
    types: dict[str, Any] = {root: {"base": base, "kind": kind, "elements": []}}
    if definition["abstract"]:
        types[root]["abstract"] = True
    for element in definition["snapshot"]["element"][1:]:
        path = element["path"]
        owner, _, name = path.rpartition(".")
        codes = [entry["code"] for entry in element.get("type", ())]
        if codes and codes[0] in _BACKBONES:
            types[path] = {"base": codes[0], "kind": "backbone", "elements": []}
        if kind == "primitive" and name == "value":
            types[root] |= _pattern(element)
        types[owner]["elements"].append(_row(element, root, kind))
    return types


def _pattern(element: Definition) -> dict[str, str]:
    for extension in element["type"][0].get("extension", ()):
        if extension["url"] == _REGEX:
            return {"pattern": extension["valueString"]}
    return {}


def _row(element: Definition, root: str, kind: str) -> list[Any]:
    path = element["path"]
    flags = (
        SUMMARY * bool(element.get("isSummary"))
        | MODIFIER * bool(element.get("isModifier"))
        | ATTRIBUTE * ("xmlAttr" in element.get("representation", ()))
    )
    types = [_type(entry, path, root, kind) for entry in _merged(element.get("type", ()))]
    if "contentReference" in element:
        types = [[element["contentReference"].removeprefix("#")]]
    row = [path.rpartition(".")[2], element["min"], element["max"], flags, types]
    binding = element.get("binding", {})
    if binding.get("strength") == "required":
        row.append(binding["valueSet"].partition("|")[0])
    return row


def _merged(entries: list[Definition]) -> list[Definition]:
    """Join entries with the same code: the targets of one type may be spread over several."""
    merged: dict[str, Definition] = {}
    for entry in entries:
        known = merged.setdefault(entry["code"], {**entry, "targetProfile": []})
        known["targetProfile"] += entry.get("targetProfile", [])
    return list(merged.values())


def _type(entry: Definition, path: str, root: str, kind: str) -> list[str]:
    code = entry["code"]
    if code in _BACKBONES:
        code = path
    elif code.startswith(_SYSTEM):
        code = _simple_type(entry, path, root, kind)
    targets = [target.removeprefix(ROOT) for target in entry["targetProfile"]]
    return [code, *([] if "Resource" in targets else targets)]


def _simple_type(entry: Definition, path: str, root: str, kind: str) -> str:
    """Return the FHIR type of an element whose definition names a FHIRPath System type."""
    if path.endswith(".value"):
        return root
    if kind == "resource" and path == f"{root}.id":
        return "id"  # The definitions say `string`; the specification's text says `id`.
    for extension in entry.get("extension", ()):
        if extension["url"] == _FHIR_TYPE:
            return str(extension["valueUrl"])
    if path == "xhtml.id":
        return "string"  # The one element whose definition does not say it.
    raise ValueError(f"{path}: no FHIR type for {entry['code']}")


def _own_rows(one: dict[str, Any], types: dict[str, Any]) -> list[Any]:
    """Return the rows that the type does not have from its base in the same form."""
    inherited: dict[str, Any] = {}
    base = one["base"]
    while base:
        inherited = {row[0]: row for row in types[base]["elements"]} | inherited
        base = types[base]["base"]
    return [row for row in one["elements"] if inherited.get(row[0]) != row]
