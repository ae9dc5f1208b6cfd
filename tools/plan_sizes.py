"""How much the plans of the case patients ask a reader to take in: `make sizes`.

Prints for every case of a pathway (the main one by default) the requests, bytes and lines of its
CarePlan, the largest last, and the medians.

Usage: python tools/plan_sizes.py [PATHWAY]
"""

import sys
from pathlib import Path
from statistics import median

from carepath.authoring.cases import read_cases, run_case
from carepath.command.plan_size import size_of
from carepath.knowledge import Knowledge

CASES = Path(__file__).parents[1] / "tests" / "cases"


def main(pathway: str = "mst-pathway") -> int:
    """Print the sizes; return the exit code."""
    knowledge = Knowledge.shipped()
    found = [
        (size_of(run_case(case, knowledge).care_plan()), case.name)
        for case in read_cases(CASES)
        if case.pathway == pathway
    ]
    if not found:
        print(f"No case is of the pathway `{pathway}`.", file=sys.stderr)
        return 1
    for size, name in sorted(found, key=lambda pair: pair[0].bytes):
        print(f"{size.requests:4} requests {size.bytes:7} bytes {size.lines:4} lines  {name}")
    middle = [round(median(size[n] for size, _ in found)) for n in range(3)]
    print(
        f"{len(found)} patients; median {middle[0]} requests, {middle[1]} bytes, {middle[2]} lines"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
