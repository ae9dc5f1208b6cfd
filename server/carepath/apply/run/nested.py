"""Nested plans that are not merged: each keeps a CarePlan and a RequestGroup of its own.

https://hl7.org/fhir/uv/cpg/OperationDefinition-cpg-plandefinition-apply.html
"""

from dataclasses import dataclass

from carepath.apply.compile.compiled import CompiledPlan
from carepath.resources import Resource


@dataclass(frozen=True, slots=True)
class NestedPlan:
    """One use of a nested plan, with the ids of its CarePlan and of the RequestGroup of that."""

    plan: CompiledPlan
    id: str
    group: str
    outer: str
    """The id of the nested CarePlan that it is a part of; empty for the answer itself."""
    actions: list[Resource]

    @property
    def part_of(self) -> Resource:
        """Return the Reference to the CarePlan that it is a part of: `#` is what contains it."""
        return {"reference": f"#{self.outer}"}


def without_container(resource: Resource) -> Resource:
    """Return a resource that no CarePlan contains: a nested one is then a part of none."""
    if resource.get("partOf") != [{"reference": "#"}]:
        return resource
    return {name: value for name, value in resource.items() if name != "partOf"}
