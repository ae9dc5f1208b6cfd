"""FHIR's operations, one module for each family."""
