"""FHIR's RESTful interactions and the descriptions of the service."""
