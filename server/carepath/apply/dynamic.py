"""A dynamicValue ready to be evaluated and put.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue
"""

from typing import NamedTuple

from carepath.apply.formula import Formula
from carepath.apply.path import Path


class DynamicValue(NamedTuple):
    """A path and the expression whose value belongs there."""

    path: Path
    formula: Formula
