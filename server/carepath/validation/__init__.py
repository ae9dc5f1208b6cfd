"""Checking resources: structure here, profiles and invariants beside it.

The only package that imports jsonschema, jsonschema_rs and fhir.resources.
"""

from carepath.validation.models import as_model, model_problems
from carepath.validation.structure import check_structure

__all__ = ["as_model", "check_structure", "model_problems"]
