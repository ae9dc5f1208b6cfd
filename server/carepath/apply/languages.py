"""Expression languages that plans may use, side by side.

https://hl7.org/fhir/R4/metadatatypes.html#Expression

A language compiles a text once and evaluates it many times.  FHIRPath is here; another language
joins by an entry in `ApplySettings.languages`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from carepath.fhirpath import Environment, Known, Node, parse


class CompiledExpression(Protocol):
    """What a language makes of a text; evaluating it raises errors of the ExpressionError family.

    The focus is what an expression starts from: the patient.
    """

    @property
    def text(self) -> str:
        """The expression as it was written."""

    @property
    def variables(self) -> frozenset[str]:
        """The names that the expression reads as %name."""

    def evaluate(self, focus: Known, environment: Environment) -> Sequence[Any]:
        """Return plain values."""

    def evaluate_nodes(self, focus: Known, environment: Environment) -> Sequence[Node]:
        """Return values together with their FHIR types."""

    def evaluate_known(self, focus: Known, environment: Environment) -> Known:
        """Return values for FHIRPath expressions to read: `Known.of` the nodes."""


class ExpressionLanguage(Protocol):
    """A language: it makes texts into expressions that can be evaluated."""

    def compile(self, text: str) -> CompiledExpression:
        """Compile a text; raises ExpressionSyntaxError or UnsupportedFeature."""


class FhirPath:
    """FHIRPath, by this package's engine."""

    def compile(self, text: str) -> CompiledExpression:
        """Parse an expression."""
        return parse(text)


LANGUAGES: Mapping[str, ExpressionLanguage] = MappingProxyType({"text/fhirpath": FhirPath()})
