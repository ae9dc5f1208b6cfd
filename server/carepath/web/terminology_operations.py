"""Terminology operations: expand, validate-code, lookup, subsumes; on what is loaded, no more.

https://hl7.org/fhir/R4/terminology-service.html
"""

from collections.abc import Mapping
from typing import Any

from carepath.canonical import Canonical
from carepath.errors import DefinitionNotFound, InvalidParameter
from carepath.knowledge import Knowledge
from carepath.knowledge.terminology import Terminology
from carepath.r4.codes import value_sets
from carepath.resources import Resource, canonical_of, codings
from carepath.web.definition_operations import checked
from carepath.web.operation import Call
from carepath.web.refusals import UnsupportedParameter
from carepath.web.search_text import fold


def expand(call: Call) -> Resource:
    """Return a value set with its expansion, filtered and paged."""
    terminology, canonical = _value_set(call)
    expanded = terminology.expand(canonical)
    if expanded is None:
        raise UnsupportedParameter("url", f"`{canonical}` draws on codes that are not loaded")
    wanted = fold(call.one("filter", ""))
    found = [c for c in expanded["expansion"]["contains"] if _mentions(c, wanted)]
    if call.one("activeOnly"):
        found = [c for c in found if not _is_inactive(terminology.concept(c["system"], c["code"]))]
    if call.one("includeDesignations"):
        found = [_with_designations(c, terminology) for c in found]
    start, count = _window(call, len(found))
    expansion = {
        # The same value set expanded the same way has the same identifier.
        "identifier": f"{call.base}/ValueSet/$expand?url={canonical}",
        "timestamp": call.now.isoformat(timespec="seconds"),
        "total": len(found),
        "offset": start,
        "parameter": _expansion_parameters(call),
        "contains": found[start : start + count],
    }
    filled = {name: value for name, value in expansion.items() if value not in ([], None)}
    return {**{k: v for k, v in expanded.items() if k != "id"}, "expansion": filled}


def validate_code(call: Call) -> Resource:
    """Tell whether a code, Coding or CodeableConcept is in a value set."""
    terminology, canonical = _value_set(call)
    coded = _coded(call)
    member = next((c for c in coded if terminology.member_of(c, canonical)), None)
    unknown = any(terminology.member_of(c, canonical) is None for c in coded)
    parts: list[Resource] = [{"name": "result", "valueBoolean": member is not None}]
    if member is None:
        reason = "cannot be decided here: codes are not loaded" if unknown else "is not in it"
        parts.append({"name": "message", "valueString": f"The code {reason}."})
        return _parameters(parts)
    system = member.get("system") or _system_of(terminology, canonical, member["code"])
    display = (terminology.concept(system, member["code"]) or {}).get("display")
    given = call.one("display") or member.get("display")
    if display and given and fold(given) != fold(display):
        parts[0]["valueBoolean"] = False
        parts.append({"name": "message", "valueString": f"The display is `{display}`."})
    if display:
        parts.append({"name": "display", "valueString": display})
    return _parameters(parts)


def lookup(call: Call) -> Resource:
    """Return what a code system says of a code."""
    coding = _system_and_code(call, "code", "coding")
    system = _code_system(call, str(coding["system"]))
    concept = call.service.knowledge.terminology.concept(str(coding["system"]), str(coding["code"]))
    if concept is None:
        raise DefinitionNotFound("CodeSystem", f"{coding['system']}|{coding['code']}")
    wanted = set(call.many("property"))
    parts: list[Resource] = [
        {
            "name": "name",
            "valueString": str(system.get("title") or system.get("name") or system["url"]),
        },
        {"name": "version", "valueString": system.get("version")},
        {"name": "display", "valueString": concept.get("display", concept["code"])},
    ]
    parts += [_designation(d) for d in concept.get("designation", ())]
    if concept.get("definition") and (not wanted or "definition" in wanted):
        parts.append(_property("definition", "valueString", concept["definition"]))
    for given in concept.get("property", ()):
        key = next((k for k in given if k.startswith("value")), None)
        if key and (not wanted or given.get("code") in wanted):
            parts.append(_property(given["code"], key, given[key]))
    return _parameters([p for p in parts if p.get("valueString", "") is not None])


def subsumes(call: Call) -> Resource:
    """Return how two codes of one system relate."""
    if call.level == "instance":
        held = call.service.definitions.read("CodeSystem", call.id)
        call.arguments.setdefault("system", [held.url])
    first = _system_and_code(call, "codeA", "codingA")
    second = _system_and_code(call, "codeB", "codingB")
    if first["system"] != second["system"]:
        raise InvalidParameter("codingB", second["system"], "the system of the first code")
    system = str(first["system"])
    _code_system(call, system)
    terminology = call.service.knowledge.terminology
    for coding in (first, second):
        if terminology.concept(system, str(coding["code"])) is None:
            raise DefinitionNotFound("CodeSystem", f"{system}|{coding['code']}")
    outcome = terminology.subsumes(system, str(first["code"]), str(second["code"]))
    if outcome is None:
        raise UnsupportedParameter("system", "its hierarchy is not known here")
    return _parameters([{"name": "outcome", "valueCode": outcome}])


def _system_of(terminology: Terminology, value_set: str, code: str) -> str:
    """Return the system that a code has in a value set, when it was sent without one."""
    expansion = terminology.expansion(value_set)
    return next((s for s, c in sorted(expansion.codes) if c == code), "") if expansion else ""


def _value_set(call: Call) -> tuple[Terminology, str]:
    """Return the terminology to ask and the canonical of the value set that is meant."""
    knowledge = call.service.knowledge
    if call.level == "instance":
        held = call.service.definitions.read("ValueSet", call.id)
        return knowledge.terminology, canonical_of(held.source)
    given = call.one("valueSet")
    if given is not None:
        return _sent_value_set(knowledge, checked(given))
    url, version = call.one("url"), call.one("valueSetVersion")
    if not url:
        raise InvalidParameter("url", None, "the canonical of a value set, or `valueSet` itself")
    canonical = f"{url}|{version}" if version else str(url)
    known = knowledge.find(canonical, resource_type="ValueSet") is not None
    if not known and Canonical.parse(canonical).url not in value_sets():
        raise DefinitionNotFound("ValueSet", canonical)
    return knowledge.terminology, canonical


def _sent_value_set(knowledge: Knowledge, value_set: Resource) -> tuple[Terminology, str]:
    """Return a terminology that also has a value set which came with the request."""
    canonical = canonical_of(value_set) if value_set.get("url") else "urn:sent"
    sent = {**value_set, "url": Canonical.parse(canonical).url}
    return Terminology(
        code_systems=knowledge.all("CodeSystem"),
        find_value_set=lambda url: (
            sent
            if url in (canonical, sent["url"])
            else knowledge.find(url, resource_type="ValueSet")
        ),
    ), canonical


def _code_system(call: Call, url: str) -> Resource:
    """Return the CodeSystem of a URL, of the version asked for."""
    version = call.one("version")
    canonical = f"{url}|{version}" if version else url
    return call.service.knowledge.definition("CodeSystem", canonical)


def _coded(call: Call) -> list[Mapping[str, Any]]:
    """Return the codings to check."""
    concept = call.one("codeableConcept")
    found: list[Mapping[str, Any]] = list(codings(concept)) if concept else []
    if call.one("coding"):
        found.append(call.one("coding"))
    if call.one("code"):
        found.append({"code": call.one("code"), "system": call.one("system", "")})
    found = [c for c in found if c.get("code")]
    if not found:
        raise InvalidParameter("code", None, "`code` and `system`, `coding` or `codeableConcept`")
    return found


def _system_and_code(call: Call, code: str, coding: str) -> Mapping[str, Any]:
    """Return system and code, given apart or as a Coding."""
    found = call.one(coding) or {"system": call.one("system"), "code": call.one(code)}
    for name, part in ((code, "code"), ("system", "system")):
        if not isinstance(found.get(part), str):
            raise InvalidParameter(name, None, f"a {part}, or `{coding}`")
    return dict(found)


def _mentions(entry: Mapping[str, Any], wanted: str) -> bool:
    return wanted in fold(str(entry.get("display", ""))) or wanted in fold(str(entry["code"]))


def _is_inactive(concept: Mapping[str, Any] | None) -> bool:
    """Tell whether a code system says that a code is out of use."""
    properties = concept.get("property", ()) if concept else ()
    return any(
        (p.get("code") == "inactive" and p.get("valueBoolean") is True)
        or (p.get("code") == "status" and p.get("valueCode") in ("retired", "inactive"))
        for p in properties
    )


def _with_designations(entry: Resource, terminology: Terminology) -> Resource:
    known = terminology.concept(entry["system"], entry["code"]) or {}
    found = known.get("designation")
    return {**entry, "designation": found} if found else entry


def _window(call: Call, total: int) -> tuple[int, int]:
    start, count = call.one("offset", 0), call.one("count", total)
    for name, value in (("offset", start), ("count", count)):
        if value < 0:
            raise InvalidParameter(name, value, "0 or more")
    return start, count


def _expansion_parameters(call: Call) -> list[Resource]:
    slots = {str: "valueString", bool: "valueBoolean", int: "valueInteger"}
    names = ("filter", "offset", "count", "includeDesignations", "activeOnly")
    given = [(name, call.one(name)) for name in names if call.one(name) is not None]
    return [{"name": name, slots[type(value)]: value} for name, value in given]


def _designation(designation: Mapping[str, Any]) -> Resource:
    slots = {"language": "valueCode", "use": "valueCoding", "value": "valueString"}
    parts = [{"name": n, s: designation[n]} for n, s in slots.items() if n in designation]
    return {"name": "designation", "part": parts}


def _property(code: str, slot: str, value: Any) -> Resource:
    parts = [{"name": "code", "valueCode": code}, {"name": "value", slot: value}]
    return {"name": "property", "part": parts}


def _parameters(parts: list[Resource]) -> Resource:
    return {"resourceType": "Parameters", "parameter": parts}
