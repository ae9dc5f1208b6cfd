"""Whether a resource keeps a profile."""
