"""What a resource that cannot be read may be: of its own type, or of any when that is not known.

https://hl7.org/fhir/R4/resource.html
"""

from functools import cache

from carepath.r4.model import RESOURCE_TYPES
from carepath.record.subjects import has_subject
from carepath.resources import Resource

ANY_TYPE = "Resource"
"""The type, abstract in FHIR, of a resource that does not tell its own."""


def possible(resource: Resource) -> tuple[Resource, ...]:
    """Return what an unread resource may be: itself, or nameless ones of all types about persons.

    Whoever asks for unread Procedures must find one that may be a Procedure.
    """
    return _of_any_type() if resource["resourceType"] == ANY_TYPE else (resource,)


@cache
def _of_any_type() -> tuple[Resource, ...]:
    made: list[Resource] = [{"resourceType": name} for name in sorted(RESOURCE_TYPES)]
    return tuple(filter(has_subject, made))
