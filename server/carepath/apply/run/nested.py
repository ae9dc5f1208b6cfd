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
