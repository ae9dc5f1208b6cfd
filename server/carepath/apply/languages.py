"""Expression languages that plans may use, side by side.

https://hl7.org/fhir/R4/metadatatypes.html#Expression

A language compiles a text once and evaluates it many times.  FHIRPath is here; another language
joins by an entry in `ApplySettings.languages`.  What its expressions must be able to do is
`CompiledExpression`; what they may be able to do beside is said by the protocols after it.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from carepath.fhirpath import Environment, Known, Node, Traced, parse
from carepath.fhirpath.nodes import Ast


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


@runtime_checkable
class WithTree(Protocol):
    """An expression that shows its structure: what it reads, and what it lacks, can be told."""

    @property
    def ast(self) -> Ast:
        """The syntax tree."""


@runtime_checkable
class WithTrace(Protocol):
    """An expression that can tell which resources its value rests on."""

    def trace(self, focus: Known, environment: Environment, *, paths: bool) -> Traced:
        """Return values and evidence; without `paths` only resources are told."""


@runtime_checkable
class WithTruth(Protocol):
    """An expression that may be known to give nothing but true, false or nothing."""

    @property
    def is_condition(self) -> bool:
        """Whether it is."""

    def decide(self, focus: Known, environment: Environment) -> bool | None:
        """Return its truth, None when it has no value."""


@runtime_checkable
class WithPreparation(Protocol):
    """An expression that can be made ready for many evaluations."""

    def prepare(self) -> None:
        """Do once what makes each evaluation quicker."""


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
