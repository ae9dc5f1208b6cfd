"""Definitional content: pathways, activities, libraries, code systems and value sets."""

from carepath.knowledge.passed_over import passed_over
from carepath.knowledge.repository import Knowledge
from carepath.knowledge.sent import KnowledgeWithSent
from carepath.knowledge.terminology import Terminology
from carepath.knowledge.top_level import plan_named, top_level_plans

__all__ = [
    "Knowledge",
    "KnowledgeWithSent",
    "Terminology",
    "passed_over",
    "plan_named",
    "top_level_plans",
]
