"""Profiles, extensions, operation definitions and schemas; no code lives here."""
