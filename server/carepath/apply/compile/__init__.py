"""Definitions made ready once: plans, actions, activities, the names they read."""
