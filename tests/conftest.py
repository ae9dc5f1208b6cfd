"""What holds for all tests."""

from hypothesis import settings

# An example may take its time: on a busy machine, or because it is the first to load a library.
# Where time is the question, a test measures what the process used of it.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
