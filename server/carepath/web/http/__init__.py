"""A request and its answer: reading, negotiating, writing, counting."""
