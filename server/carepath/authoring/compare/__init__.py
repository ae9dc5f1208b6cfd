"""Two states of the content compared: who gets another plan, by action, with both reasons."""

from carepath.authoring.compare.difference import (
    ActionDifference,
    Side,
    differences_between,
)
from carepath.authoring.compare.patient import Patient, Unreadable, applied_to
from carepath.authoring.compare.report import Comparison, Found, compare

__all__ = [
    "ActionDifference",
    "Comparison",
    "Found",
    "Patient",
    "Side",
    "Unreadable",
    "applied_to",
    "compare",
    "differences_between",
]
