"""Patients written for this project, in the shapes that senders really use; no code lives here."""
