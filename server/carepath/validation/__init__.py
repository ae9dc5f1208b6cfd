"""Checking resources: structure, invariants, extensions and profiles.

The only package that imports jsonschema, jsonschema_rs and fhir.resources.
"""

from carepath.validation.case_form import case_problems
from carepath.validation.cds_hooks_form import cds_hooks_issues
from carepath.validation.structure.check import check_structure
from carepath.validation.structure.definitions import definition_issues
from carepath.validation.structure.left_out import LeftOut
from carepath.validation.structure.reading import Readable, readable, record_of
from carepath.validation.structure.second_opinion import as_model, model_problems
from carepath.validation.validate import validate

__all__ = [
    "LeftOut",
    "Readable",
    "as_model",
    "case_problems",
    "cds_hooks_issues",
    "check_structure",
    "definition_issues",
    "model_problems",
    "readable",
    "record_of",
    "validate",
]
