"""Synthetic patients, drawn from a description that stands beside a pathway; none is real."""
