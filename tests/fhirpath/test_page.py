"""The examples of docs/fhirpath.md are true."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/fhirpath.md"


def test_examples() -> None:
    outcome = doctest.testfile(str(PAGE), module_relative=False)
    assert outcome.attempted >= 15
    assert outcome.failed == 0
