"""Which resources are of a profile that a data requirement names.

https://hl7.org/fhir/R4/metadatatypes-definitions.html#DataRequirement.profile

A resource is of a profile when it says so in `meta.profile`, or when it conforms to it.
"""

from collections.abc import Iterable
from datetime import datetime

from carepath.canonical import Canonical
from carepath.errors import UnsupportedFeature
from carepath.knowledge import Knowledge
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
    wanted = {Canonical.parse(profile).url: profile for profile in profiles}
    if not wanted or not of_type.isdisjoint(wanted):
        return found
    claiming = {id(resource) for resource in found if _claimed(resource) & wanted.keys()}
    known = [profile for profile in wanted.values() if _is_known(profile, knowledge)]
    if found and not claiming and not known:
        what = f"The profile `{next(iter(wanted.values()))}`, which is not among the definitions,"
        raise UnsupportedFeature("", what)
    return [r for r in found if id(r) in claiming or _conforms(r, known, knowledge, now)]


def _is_known(profile: str, knowledge: Knowledge) -> bool:
    """Tell whether a profile is among the definitions, and can be read."""
    found = knowledge.find(profile, resource_type="StructureDefinition")
    return found is not None and not any(issue.is_error for issue in definition_issues(found))


def _claimed(resource: Resource) -> set[str]:
    """Return the URLs of the profiles that a resource claims."""
    meta = resource.get("meta")
    claimed = meta.get("profile") if isinstance(meta, dict) else None
    listed = claimed if isinstance(claimed, list) else ()
    return {Canonical.parse(c).url for c in listed if isinstance(c, str)}


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
