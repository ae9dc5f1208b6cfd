"""The explorer: pages for people about pathways, patients on them, and FHIRPath."""
