"""The page that a clinician or a patient reads: what is on it, and how it is set."""
