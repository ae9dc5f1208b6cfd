"""$apply: definitions applied to one patient, and every decision explained."""

from carepath.apply.answer import Applied
from carepath.apply.decision import Decision
from carepath.apply.languages import ExpressionLanguage
from carepath.apply.operation import AppliedActivity, apply_activity, apply_plan, warm
from carepath.apply.package import package
from carepath.apply.request import ApplyRequest, ApplySettings
from carepath.apply.requirements import data_requirements

__all__ = [
    "Applied",
    "AppliedActivity",
    "ApplyRequest",
    "ApplySettings",
    "Decision",
    "ExpressionLanguage",
    "apply_activity",
    "apply_plan",
    "data_requirements",
    "package",
    "warm",
]
