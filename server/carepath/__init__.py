"""Carepath: FHIR R4 clinical pathways, applied and explained."""
