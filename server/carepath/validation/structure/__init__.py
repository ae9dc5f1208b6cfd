"""Whether a resource is well formed R4: shape, values, references."""
