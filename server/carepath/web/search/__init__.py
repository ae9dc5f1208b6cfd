"""Search over the definitions."""
