"""What FHIR R4 defines: types and elements, search parameters, required codes, invariants."""
