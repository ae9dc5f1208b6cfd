"""FHIRPath for FHIR R4: parse an expression, evaluate it on plain-dict resources.

https://hl7.org/fhirpath/ and https://hl7.org/fhir/R4/fhirpath.html
"""

from carepath.fhirpath.environment import Allowance, Environment, Limits, Terminology
from carepath.fhirpath.expression import Expression, Traced, check, compile_expression, parse
from carepath.fhirpath.values.evidence import Touched
from carepath.fhirpath.values.known import Known, Node
from carepath.fhirpath.values.quantity import Quantity
from carepath.fhirpath.values.temporal import Date, DateTime, Time

__all__ = [
    "Allowance",
    "Date",
    "DateTime",
    "Environment",
    "Expression",
    "Known",
    "Limits",
    "Node",
    "Quantity",
    "Terminology",
    "Time",
    "Touched",
    "Traced",
    "check",
    "compile_expression",
    "parse",
]
