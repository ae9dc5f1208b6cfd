"""Operations on definitions and resources: data-requirements, package, validate, versions.

https://hl7.org/fhir/R4/resource-operation-validate.html and
https://hl7.org/fhir/R4/capabilitystatement-operation-versions.html
"""

from carepath.apply import data_requirements as requirements_of
from carepath.apply import package as package_of
from carepath.errors import InvalidParameter, InvalidResource
from carepath.issues import Issue, operation_outcome
from carepath.knowledge import Knowledge
from carepath.r4.model import RESOURCE_TYPES
from carepath.resources import Resource
from carepath.validation import check_structure
from carepath.validation.validate import MODES
from carepath.validation.validate import validate as validate_resource
from carepath.web.operations.call import Call
from carepath.web.operations.rights import refuse_profile

_FHIR_VERSION = "4.0"


def definition_of(
    call: Call, resource_type: str, inline: str = "", knowledge: Knowledge | None = None
) -> Resource:
    """Return the definition that a call is about: by id, sent along, or by canonical.

    `knowledge` is the service's unless the request brings definitions.
    """
    if call.level == "instance":
        return call.service.definitions.read(resource_type, call.id).source
    name = only_one(call, *filter(None, ("url", "canonical", inline)))
    if name is None:
        also = f", `{inline}`" if inline else ""
        raise InvalidParameter("url", None, f"`url` or `canonical`{also} of a {resource_type}")
    if name != inline:
        wanted = wanted_canonical(call)
        return (knowledge or call.service.knowledge).definition(resource_type, wanted)
    version = call.one("version")
    if version is not None:
        raise InvalidParameter("version", version, "`url` or `canonical` to go with it")
    definition: Resource = call.one(inline)
    return definition


def wanted_canonical(call: Call) -> str:
    """Return the canonical of the definition that a call names, with its version if any."""
    name = only_one(call, "url", "canonical")
    canonical = "" if name is None else call.one(name)
    return versioned(canonical, call.one("version"), "version")


def only_one(call: Call, *names: str) -> str | None:
    """Return which of some parameters is given; raise InvalidParameter when several are."""
    given = [name for name in names if call.one(name) is not None]
    if len(given) > 1:
        raise InvalidParameter(given[1], f"given beside {given[0]}", "one of the two")
    return given[0] if given else None


def versioned(canonical: str, version: str | None, name: str) -> str:
    """Return `url|version`; raise InvalidParameter when two versions are given."""
    said = canonical.partition("|")[2]
    if version is None or said == version:
        return canonical
    if said:
        raise InvalidParameter(name, version, f"`{said}`, as the canonical says, or nothing")
    return f"{canonical}|{version}"


def checked(definition: Resource) -> Resource:
    """Return a definition that was sent along; strictly valid, unlike data, or InvalidResource."""
    problems = check_structure(definition)
    if problems:
        raise InvalidResource(problems)
    return definition


def data_requirements(call: Call) -> Resource:
    """Return the Library of what a definition reads about a patient."""
    definition = definition_of(call, call.resource_type)
    return requirements_of(definition, call.service.knowledge)


def package(call: Call) -> Resource:
    """Return a definition with all that it needs."""
    return package_of(definition_of(call, call.resource_type), call.service.knowledge)


def versions(call: Call) -> Resource:
    """Return the FHIR versions that this service speaks."""
    parts = [{"name": "version", "valueCode": _FHIR_VERSION},
             {"name": "default", "valueCode": _FHIR_VERSION}]  # fmt: skip
    return {"resourceType": "Parameters", "parameter": parts}


def validate(call: Call) -> Resource:
    """Return all that is wrong with a resource, however little; the request itself succeeds."""
    mode = call.one("mode")
    if mode is not None and mode not in MODES:
        known = ", ".join(f"`{name}`" for name in MODES)
        raise InvalidParameter("mode", mode, f"one of {known}")
    resource = call.one("resource")
    if resource is None and call.level == "instance":
        resource = call.service.definitions.read(call.resource_type, call.id).source
    if resource is None and mode != "delete":
        raise InvalidParameter("resource", None, "the resource to check")
    if resource is not None:
        refuse_profile(resource["resourceType"])
    found = validate_resource(
        resource,
        definitions=call.service.knowledge,
        profiles=call.many("profile"),
        mode=mode,
        now=call.now,
    )
    return operation_outcome([*_url_issues(call, resource), *found])


def _url_issues(call: Call, resource: Resource | None) -> list[Issue]:
    """Return an error where the resource is not the one that the URL speaks of."""
    resource_type = None if resource is None else resource["resourceType"]
    if resource is None or resource_type not in RESOURCE_TYPES:
        return []  # There is none, or the structure check says that its type is none.
    if call.resource_type != resource_type:
        text = f"The URL is for a {call.resource_type}, the resource is a {resource_type}."
        return [Issue("error", "invalid", text, (resource_type,))]
    if call.level == "instance" and resource.get("id", call.id) != call.id:
        text = "The id in the resource differs from the one in the URL."
        return [Issue("error", "invalid", text, (f"{resource_type}.id",))]
    return []
