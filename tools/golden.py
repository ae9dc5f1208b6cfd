"""Write the golden CarePlans: the whole answer for each case of the catalogue's scenarios.

Usage: python tools/golden.py [--check]

A golden answer is read by a person once and then only as a difference; with --check nothing is
written and the exit code tells whether an answer has changed.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from carepath.authoring.cases import Case, read_cases, run_case
from carepath.formats.json import decode, encode
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases"
GOLDEN = ROOT / "tests" / "golden" / "cases"


def scenarios() -> Iterator[Case]:
    """Yield the cases that stand for a scenario of the catalogue."""
    for case in read_cases(CASES):
        if "scenario" in decode(case.path.read_bytes()):
            yield case


def golden_path(case: Case) -> Path:
    """Return where the golden answer of a case stands."""
    return GOLDEN / f"{case.name}.json"


def answer(case: Case, knowledge: Knowledge) -> bytes:
    """Return the CarePlan of a case, in the form in which golden answers are kept."""
    return encode(run_case(case, knowledge).care_plan(), pretty=True)


def main() -> int:
    """Write or check every golden answer; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    knowledge = Knowledge.shipped()
    cases = list(scenarios())
    changed = 0
    for case in cases:
        path, fresh = golden_path(case), answer(case, knowledge)
        if not path.exists() or path.read_bytes() != fresh:
            changed += 1
            print(f"{case.name}: {'differs' if options.check else 'written'}")
            if not options.check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(fresh)
    print(f"{len(cases)} golden answers, {changed} {'differ' if options.check else 'written'}")
    return 1 if changed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
