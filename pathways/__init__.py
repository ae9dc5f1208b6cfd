"""Clinical pathways as FHIR definitions, one folder each; no code lives here."""
