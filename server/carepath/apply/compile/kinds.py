"""The kinds of request: which elements each has, and what it takes from an ActivityDefinition.

https://hl7.org/fhir/R4/activitydefinition-definitions.html#ActivityDefinition.kind

The part of a request that is the same for every patient is made once, by the builder of its kind.
What concerns the patient is named by the row of the kind, or added by `run/requests` for those
kinds that hold it deeper inside.
"""

from collections.abc import Mapping

from carepath.apply.compile.kind import Kind
from carepath.apply.compile.kinds_of_finance import FINANCE
from carepath.apply.compile.kinds_of_orders import ORDERS
from carepath.apply.compile.kinds_of_workflow import WORKFLOW

KINDS: Mapping[str, Kind] = {**ORDERS, **WORKFLOW, **FINANCE}
"""R4 lists these kinds of request; nothing else may stand in ActivityDefinition.kind."""

APPOINTMENT_PRIORITY: Mapping[str, int] = {"stat": 1, "asap": 4, "urgent": 7, "routine": 9}
"""An Appointment counts its priority in numbers, the lower the sooner."""
