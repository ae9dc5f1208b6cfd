"""Definitional content: pathways, activities, libraries, code systems and value sets."""

from carepath.knowledge.passed_over import passed_over
from carepath.knowledge.repository import Knowledge
from carepath.knowledge.sent import KnowledgeOfRequests, KnowledgeWithSent
from carepath.knowledge.terminology import Terminology
from carepath.knowledge.top_level import plan_named, top_level_plans

__all__ = [
    "Knowledge",
    "KnowledgeOfRequests",
    "KnowledgeWithSent",
    "Terminology",
    "passed_over",
    "plan_named",
    "top_level_plans",
]
