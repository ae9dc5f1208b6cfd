"""Definitional content: pathways, activities, libraries, code systems and value sets."""

from carepath.knowledge.repository import Knowledge
from carepath.knowledge.terminology import Terminology

__all__ = ["Knowledge", "Terminology"]
