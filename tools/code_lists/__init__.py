"""Code lists: the verified codes of `rows/`, written into the value sets that the facts test."""
