"""Write the snapshots of the StructureDefinitions in fhir_profiles."""
