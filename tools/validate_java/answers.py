"""What the service answers: the CapabilityStatement and the answers of the $apply suite."""

from collections.abc import Iterator
from pathlib import Path


def answers(root: Path) -> Iterator[tuple[str, str]]:
    """Yield each answer with a name that says where it comes from."""
    yield from ()
