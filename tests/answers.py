"""The answers to the cases in cases/, each made once for all modules that look at it."""

from functools import cache
from itertools import groupby
from pathlib import Path

from carepath.apply import Applied
from carepath.authoring.cases import read_cases, run_case
from carepath.knowledge import Knowledge

FOLDER = Path(__file__).parent / "cases"
CASES = {case.name: case for case in read_cases(FOLDER)}
BY_FOLDER = {
    folder: list(names)
    for folder, names in groupby(sorted(CASES), lambda name: name.partition("/")[0])
}
"""The names of the cases in each folder."""
KNOWLEDGE = Knowledge.shipped()


@cache
def answer(name: str) -> Applied:
    """Return the answer to a case."""
    return run_case(CASES[name], KNOWLEDGE)
