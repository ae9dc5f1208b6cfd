"""The documentation, which the service shows; no code lives here."""
