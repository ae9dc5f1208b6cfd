"""$apply: definitions applied to one patient, and every decision explained."""

from carepath.apply.answer import Applied
from carepath.apply.describe.data_requirements import data_requirements
from carepath.apply.describe.package import package
from carepath.apply.explain.decision import Decision
from carepath.apply.languages import ExpressionLanguage
from carepath.apply.operation import AppliedActivity, apply_activity, apply_plan, warm
from carepath.apply.request import ApplyRequest, ApplySettings

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
