"""Expression languages that plans may use, side by side.

https://hl7.org/fhir/R4/metadatatypes.html#Expression

A language compiles a text once and evaluates it many times.  FHIRPath is here; another language
joins by an entry in `ApplySettings.languages`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from carepath.fhirpath import Environment, Expression, Known, Node, parse


class CompiledExpression(Protocol):
    """What a language makes of a text: the text and the names of the variables it reads."""

    @property
    def text(self) -> str:
        """The expression as it was written."""

    @property
    def variables(self) -> frozenset[str]:
        """The names that the expression reads as %name."""


class ExpressionLanguage(Protocol):
    """Compiles and evaluates; errors are of the ExpressionError family."""

    def compile(self, text: str) -> CompiledExpression:
        """Compile a text; raises ExpressionSyntaxError or UnsupportedFeature."""

    def evaluate(self, compiled: Any, focus: Any, environment: Environment) -> Sequence[Any]:
        """Return plain values; raises EvaluationError."""

    def evaluate_nodes(self, compiled: Any, focus: Any, environment: Environment) -> Sequence[Node]:
        """Return values together with their FHIR types."""


class FhirPath:
    """FHIRPath, by this package's engine."""

    def compile(self, text: str) -> Expression:
        """Parse an expression."""
        return parse(text)

    def evaluate(self, compiled: Expression, focus: Any, environment: Environment) -> list[Any]:
        """Return plain values."""
        return compiled.evaluate(focus, environment)

    def evaluate_nodes(
        self, compiled: Expression, focus: Any, environment: Environment
    ) -> list[Node]:
        """Return values with their types."""
        return compiled.evaluate_nodes(focus, environment)

    def evaluate_known(self, compiled: Expression, focus: Any, environment: Environment) -> Known:
        """Return values for other expressions to read."""
        return compiled.evaluate_known(focus, environment)


LANGUAGES: Mapping[str, ExpressionLanguage] = MappingProxyType({"text/fhirpath": FhirPath()})
