"""What can be said of an expression without data."""
