"""Operations on code systems: lookup and subsumes; on what is loaded, no more.

https://hl7.org/fhir/R4/codesystem-operations.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath.errors import CodeNotFound, InvalidParameter
from carepath.knowledge.code_systems import CodeSystem, standard_system
from carepath.resources import Resource
from carepath.web.http.refusals import UnsupportedParameter
from carepath.web.operations.call import Call
from carepath.web.operations.definitions import only_one, versioned


def lookup(call: Call) -> Resource:
    """Return what a code system says of a code."""
    coding = _system_and_code(call, "code", "coding")
    system = _code_system(call, coding)
    concept = _concept(system, coding)
    wanted = frozenset(call.many("property"))
    told = system.resource
    parts: list[Resource] = [
        {"name": "name", "valueString": str(told.get("title") or told.get("name") or told["url"])}
    ]
    if told.get("version"):
        parts.append({"name": "version", "valueString": told["version"]})
    parts.append({"name": "display", "valueString": concept.get("display", concept["code"])})
    parts += [_designation(d) for d in concept.get("designation", ()) if _is_wanted(d, wanted)]
    parts += [
        _property(code, slot, value, about)
        for code, slot, value, about in _properties(system, concept)
        if not wanted or code in wanted
    ]
    return _parameters(parts)


def subsumes(call: Call) -> Resource:
    """Return how two codes of one system relate."""
    if call.level == "instance":
        _be_about(call, call.service.definitions.read("CodeSystem", call.id).source)
    first = _system_and_code(call, "codeA", "codingA")
    second = _system_and_code(call, "codeB", "codingB")
    if first["system"] != second["system"]:
        raise InvalidParameter("codingB", second["system"], "the system of the first code")
    system = _code_system(call, first)
    a, b = (str(_concept(system, coding)["code"]) for coding in (first, second))
    outcome = system.subsumes(a, b)
    is_tree = system.resource.get("hierarchyMeaning", "is-a") == "is-a"
    is_known = is_tree and (system.is_complete or outcome != "not-subsumed")
    if outcome is None or not (is_known or outcome == "equivalent"):
        raise UnsupportedParameter("system", f"`{system.url}` does not say how its codes relate")
    return _parameters([{"name": "outcome", "valueCode": outcome}])


def _be_about(call: Call, resource: Resource) -> None:
    """Let a call at instance level be about the resource of its URL, and nothing else."""
    for name, own in (("system", resource.get("url")), ("version", resource.get("version"))):
        given = call.one(name)
        if given is not None and given != own:
            raise InvalidParameter(name, given, f"`{own}`, as the URL says, or nothing")
    for name in ("codingA", "codingB"):
        coding = call.one(name)
        if coding is not None and coding.get("system") != resource.get("url"):
            expected = f"a code of `{resource.get('url')}`"
            raise InvalidParameter(name, coding.get("system"), expected)
    call.arguments["system"] = [resource.get("url")]
    if resource.get("version"):
        call.arguments["version"] = [resource["version"]]


def _system_and_code(call: Call, code: str, coding: str) -> Mapping[str, Any]:
    """Return system and code, given apart or as a Coding."""
    name = only_one(call, code, coding)
    found = (
        call.one(coding)
        if name == coding
        else {"system": call.one("system"), "code": call.one(code)}
    )
    for missing, part in ((code, "code"), ("system", "system")):
        if not isinstance(found.get(part), str):
            raise InvalidParameter(missing, None, f"a {part}, or `{coding}`")
    return dict(found)


def _code_system(call: Call, coding: Mapping[str, Any]) -> CodeSystem:
    """Return the system of a code, of the version asked for."""
    version = call.one("version") or coding.get("version")
    canonical = versioned(str(coding["system"]), version, "version")
    knowledge = call.service.knowledge
    loaded = knowledge.find(canonical, resource_type="CodeSystem")
    found = standard_system(canonical) if loaded is None else None
    # Raises what there is to say when neither the content nor R4 has it.
    return found or knowledge.terminology.code_system(knowledge.definition("CodeSystem", canonical))


def _concept(system: CodeSystem, coding: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the concept of a code; raise CodeNotFound."""
    found = system.concept(str(coding["code"]))
    if found is None:
        raise CodeNotFound(system.url, str(coding["code"]))
    return found


def _properties(
    system: CodeSystem, concept: Mapping[str, Any]
) -> Iterator[tuple[str, str, Any, str]]:
    """Yield code, value slot, value and description of what a system says of a concept."""
    if concept.get("definition"):
        yield "definition", "valueString", concept["definition"], ""
    for given in concept.get("property", ()):
        slot = next((k for k in given if k.startswith("value")), None)
        if slot and given.get("code") not in ("parent", "child"):
            yield given["code"], slot, given[slot], ""
    code = system.normal(str(concept["code"]))
    children = (c for c, parents in system.parents.items() if code in parents)
    for name, codes in (("parent", sorted(system.parents[code])), ("child", children)):
        for other in codes:
            related = system.concepts.get(other, {"code": other})
            yield name, "valueCode", related["code"], str(related.get("display", ""))


def _is_wanted(designation: Mapping[str, Any], wanted: frozenset[str]) -> bool:
    """Tell whether a designation is asked for: all are when no property is named."""
    return not wanted or bool(wanted & {"designation", f"lang.{designation.get('language')}"})


def _designation(designation: Mapping[str, Any]) -> Resource:
    slots = {"language": "valueCode", "use": "valueCoding", "value": "valueString"}
    parts = [{"name": n, s: designation[n]} for n, s in slots.items() if n in designation]
    return {"name": "designation", "part": parts}


def _property(code: str, slot: str, value: Any, about: str) -> Resource:
    parts = [{"name": "code", "valueCode": code}, {"name": "value", slot: value}]
    if about:
        parts.append({"name": "description", "valueString": about})
    return {"name": "property", "part": parts}


def _parameters(parts: list[Resource]) -> Resource:
    return {"resourceType": "Parameters", "parameter": parts}
