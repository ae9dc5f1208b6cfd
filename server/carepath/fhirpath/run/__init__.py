"""Evaluation: closures, written functions, evidence."""
