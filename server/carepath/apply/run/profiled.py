"""Which resources are of a profile that a data requirement names.

https://hl7.org/fhir/R4/metadatatypes-definitions.html#DataRequirement.profile

A resource is of a profile when it says so in `meta.profile`, or when it conforms to it.
"""

from collections.abc import Iterable
from datetime import datetime

from carepath.canonical import Canonical
from carepath.errors import UnsupportedFeature
from carepath.knowledge import Knowledge
from carepath.r4.published import published
from carepath.resources import Resource
from carepath.validation import definition_issues, validate

_CORE = "http://hl7.org/fhir/StructureDefinition/"


def of_profiles(
    resources: Iterable[Resource], profiles: tuple[str, ...], knowledge: Knowledge, now: datetime
) -> list[Resource]:
    """Return the resources that are of one of the profiles.

    Raises UnsupportedFeature when only a profile that is not known could tell.
    """
    found = list(resources)
    of_type = {_CORE + str(resource["resourceType"]) for resource in found}
    wanted = [Canonical.parse(profile) for profile in profiles]
    if not wanted or not of_type.isdisjoint(profile.url for profile in wanted):
        return found
    claiming = {id(resource) for resource in found if _claims(resource, wanted)}
    known = [profile for profile in profiles if _is_known(profile, knowledge)]
    if found and not claiming and not known:
        what = f"The profile `{profiles[0]}`, which is not among the definitions,"
        raise UnsupportedFeature("", what)
    return [r for r in found if id(r) in claiming or _conforms(r, known, knowledge, now)]


def _is_known(profile: str, knowledge: Knowledge) -> bool:
    """Tell whether a profile is among the definitions, and can be read, or is one of R4's own."""
    found = knowledge.find(profile, resource_type="StructureDefinition")
    if found is None:
        return published("StructureDefinition", profile) is not None
    return not any(issue.is_error for issue in definition_issues(found))


def _claims(resource: Resource, wanted: Iterable[Canonical]) -> bool:
    """Tell whether a resource claims a profile; of two versions that are named, the same one."""
    claimed = _claimed(resource)
    return any(
        claim.url == profile.url and (claim.version == profile.version or not both)
        for claim in claimed
        for profile in wanted
        for both in (claim.version and profile.version,)
    )


def _claimed(resource: Resource) -> list[Canonical]:
    """Return the profiles that a resource claims."""
    meta = resource.get("meta")
    claimed = meta.get("profile") if isinstance(meta, dict) else None
    listed = claimed if isinstance(claimed, list) else ()
    return [Canonical.parse(c) for c in listed if isinstance(c, str)]


def _conforms(
    resource: Resource, profiles: Iterable[str], knowledge: Knowledge, now: datetime
) -> bool:
    """Tell whether a resource conforms to one of the profiles."""
    for profile in profiles:
        told = validate(
            resource, definitions=knowledge, profiles=[profile], mode="profile", now=now
        )
        if not any(issue.is_error for issue in told):
            return True
    return False
