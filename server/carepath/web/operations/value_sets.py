"""Operations on value sets: expand and validate-code; on what is loaded, no more.

https://hl7.org/fhir/R4/valueset-operations.html
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from carepath.canonical import Canonical
from carepath.deadline import paced
from carepath.errors import DefinitionNotFound, InvalidParameter
from carepath.formats import json as json_codec
from carepath.knowledge import Knowledge
from carepath.knowledge.terminology import Terminology
from carepath.r4.codes import value_sets
from carepath.r4.published import RELEASE, published
from carepath.resources import Resource, canonical_of, codings
from carepath.web.http.refusals import UnsupportedParameter
from carepath.web.operations.call import Call
from carepath.web.operations.definitions import checked, only_one, versioned
from carepath.web.search.text import fold

_NAMELESS = "urn:sent"
_PAGING = ("offset", "count")
_EXPANSION = (
    "filter",
    "activeOnly",
    "includeDesignations",
    "includeDefinition",
    "excludeNested",
    *_PAGING,
)


def expand(call: Call) -> Resource:
    """Return a value set with its expansion, filtered and paged; always flat."""
    terminology, canonical = _value_set(call)
    expanded = terminology.expand(canonical)
    if expanded is None:
        raise UnsupportedParameter(
            _value_set_parameter(call), f"`{canonical}` draws on codes that are not loaded"
        )
    found = _selected(call, expanded["expansion"]["contains"], terminology)
    start, count = _window(call, len(found))
    parameters = _expansion_parameters(call) + _versions(found, call.service.knowledge)
    expansion = {
        "identifier": _identifier(canonical, found, parameters),
        "timestamp": call.now.isoformat(timespec="seconds"),
        "total": len(found),
        "offset": start,
        "parameter": parameters,
        "contains": found[start : start + count],
    }
    filled = {name: value for name, value in expansion.items() if value not in ([], None)}
    kept = {k: v for k, v in expanded.items() if k != "id" and v != _NAMELESS}
    if call.one("includeDefinition"):
        kept |= _definition(call, canonical)
    return {**kept, "expansion": filled}


def validate_code(call: Call) -> Resource:
    """Tell whether a code, Coding or CodeableConcept is in a value set."""
    terminology, canonical = _value_set(call)
    coded = _coded(call)
    for coding in coded:
        _check_version(call, coding)
    answers = [terminology.member_of(coding, canonical) for coding in coded]
    if True not in answers:
        if None in answers:
            # Nobody may read "not known here" as "no".
            reason = f"`{canonical}` draws on codes that are not loaded"
            raise UnsupportedParameter(_value_set_parameter(call), reason)
        codes = ", ".join(f"`{_code_text(coding)}`" for coding in coded)
        return _verdict(f"{codes} is not in the value set `{canonical}`.")
    member = coded[answers.index(True)]
    display = _display(terminology, canonical, member)
    given = call.one("display") or member.get("display")
    if display and given and fold(given) != fold(display):
        return _verdict(f"The display is `{display}`.", display)
    return _verdict("", display)


def _selected(
    call: Call, contains: list[Resource], terminology: Terminology
) -> list[Mapping[str, Any]]:
    """Return the entries that a call asks for, before paging."""
    wanted = fold(call.one("filter", ""))
    found = [c for c in paced(contains) if _mentions(c, wanted)]
    if call.one("activeOnly"):
        found = [c for c in found if not _is_inactive(_known(terminology, c))]
    if call.one("includeDesignations"):
        return list(found)
    return [{name: v for name, v in entry.items() if name != "designation"} for entry in found]


def _identifier(canonical: str, found: Any, parameters: list[Resource]) -> str:
    """Return a name for an expansion: the same for each page, another for another content."""
    kept = [p for p in parameters if p["name"] not in _PAGING]
    content = json_codec.encode({"of": canonical, "contains": found, "by": kept})
    return f"urn:uuid:{uuid5(NAMESPACE_URL, content.decode())}"


def _versions(found: list[Mapping[str, Any]], knowledge: Knowledge) -> list[Resource]:
    """Return which versions of the loaded code systems the codes are of."""
    systems = dict.fromkeys(entry["system"] for entry in found if "system" in entry)
    held = (_held_system(knowledge, system) for system in systems)
    return [
        {"name": "version", "valueUri": canonical_of(resource)}
        for resource in held
        if resource is not None and resource.get("version")
    ]


def _held_system(knowledge: Knowledge, url: str) -> Resource | None:
    """Return a code system that is loaded, or that R4 publishes."""
    return knowledge.find(url, resource_type="CodeSystem") or published("CodeSystem", url)


def _definition(call: Call, canonical: str) -> Resource:
    """Return the definition of the value set, which an expansion otherwise leaves out."""
    source = (
        call.one("valueSet")
        or call.service.knowledge.find(canonical, resource_type="ValueSet")
        or published("ValueSet", canonical)
    )
    return {"compose": source["compose"]} if source and "compose" in source else {}


def _value_set_parameter(call: Call) -> str:
    """Return the parameter that names the value set."""
    return "valueSet" if call.one("valueSet") is not None else "url"


def _check_version(call: Call, coding: Mapping[str, Any]) -> None:
    """Raise when a code is said to be of a version of its system that is not the one loaded."""
    version, system = coding.get("version"), coding.get("system")
    if not version or not system:
        return
    held = _held_system(call.service.knowledge, str(system))
    if held is not None and held.get("version") != version:
        name = "systemVersion" if call.one("systemVersion") else _coding_parameter(call)
        raise UnsupportedParameter(name, f"version `{version}` of `{system}` is not loaded")


def _coding_parameter(call: Call) -> str:
    return "coding" if call.one("coding") is not None else "codeableConcept"


def _code_text(coding: Mapping[str, Any]) -> str:
    return "|".join(str(coding[name]) for name in ("system", "code") if coding.get(name))


def _verdict(message: str, display: str = "") -> Resource:
    """Return the answer of validate-code; a message says what is wrong."""
    parts: list[Resource] = [{"name": "result", "valueBoolean": not message}]
    if message:
        parts.append({"name": "message", "valueString": message})
    if display:
        parts.append({"name": "display", "valueString": display})
    return _parameters(parts)


def _display(terminology: Terminology, value_set: str, member: Mapping[str, Any]) -> str:
    """Return the display of a member, found by system and code or, without a system, by code."""
    code, system = member["code"], member.get("system")
    expanded = terminology.expand(value_set) or {"expansion": {"contains": []}}
    for entry in expanded["expansion"]["contains"]:
        if entry["code"] == code and (not system or entry.get("system") == system):
            return str(entry.get("display", ""))
    return str((terminology.concept(str(system), str(code)) or {}).get("display", ""))


def _value_set(call: Call) -> tuple[Terminology, str]:
    """Return the terminology to ask and the canonical of the value set that is meant."""
    knowledge = call.service.knowledge
    if call.level == "instance":
        held = call.service.definitions.read("ValueSet", call.id)
        return knowledge.terminology, canonical_of(held.source)
    given, version = only_one(call, "url", "valueSet"), call.one("valueSetVersion")
    if given == "valueSet":
        if version is not None:
            raise InvalidParameter("valueSetVersion", version, "`url` to go with it")
        return _sent_value_set(knowledge, checked(call.one("valueSet")))
    if given is None:
        raise InvalidParameter("url", None, "the canonical of a value set, or `valueSet` itself")
    canonical = versioned(call.one("url"), version, "valueSetVersion")
    known = knowledge.find(canonical, resource_type="ValueSet") or published("ValueSet", canonical)
    asked = Canonical.parse(canonical)
    is_known = asked.url in value_sets() and asked.version in ("", RELEASE)
    if known is None and not is_known:
        raise DefinitionNotFound("ValueSet", canonical)
    return knowledge.terminology, canonical


def _sent_value_set(knowledge: Knowledge, value_set: Resource) -> tuple[Terminology, str]:
    """Return a terminology that also has a value set which came with the request."""
    canonical = canonical_of(value_set) if value_set.get("url") else _NAMELESS
    sent = {**value_set, "url": Canonical.parse(canonical).url}
    return Terminology(
        code_systems=knowledge.all("CodeSystem"),
        find_value_set=lambda url: (
            sent
            if url in (canonical, sent["url"])
            else knowledge.find(url, resource_type="ValueSet")
        ),
    ), canonical


def _known(terminology: Terminology, entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return terminology.concept(str(entry.get("system", "")), str(entry["code"]))


def _coded(call: Call) -> list[Mapping[str, Any]]:
    """Return the codings to check: of a concept, one, or one made of a code and its system."""
    given = only_one(call, "code", "coding", "codeableConcept")
    makers: Mapping[str | None, Callable[[], list[Mapping[str, Any]]]] = {
        "code": lambda: [_plain_coding(call)],
        "coding": lambda: [call.one("coding")],
        "codeableConcept": lambda: list(codings(call.one("codeableConcept"))),
        None: list,
    }
    for name in ("system", "systemVersion", "display"):
        if given != "code" and call.one(name) is not None:
            raise InvalidParameter(name, call.one(name), "`code` to go with it")
    found = [coding for coding in makers[given]() if coding.get("code")]
    if not found:
        expected = "`code` and `system`, `coding` or `codeableConcept`, with a code in it"
        raise InvalidParameter("code", None, expected)
    return found


def _plain_coding(call: Call) -> Mapping[str, Any]:
    return {
        "code": call.one("code"),
        "system": call.one("system", ""),
        "version": call.one("systemVersion", ""),
    }


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


def _window(call: Call, total: int) -> tuple[int, int]:
    start, count = call.one("offset", 0), call.one("count", total)
    for name, value in (("offset", start), ("count", count)):
        if value < 0:
            raise InvalidParameter(name, value, "0 or more")
    return start, count


def _expansion_parameters(call: Call) -> list[Resource]:
    slots = {str: "valueString", bool: "valueBoolean", int: "valueInteger"}
    given = [(name, call.one(name)) for name in _EXPANSION if call.one(name) is not None]
    return [{"name": name, slots[type(value)]: value} for name, value in given]


def _parameters(parts: list[Resource]) -> Resource:
    return {"resourceType": "Parameters", "parameter": parts}
