"""Checking resources: structure here, profiles and invariants beside it.

The only package that imports jsonschema, jsonschema_rs and fhir.resources.
"""

from carepath.validation.structure import check_structure

__all__ = ["check_structure"]
