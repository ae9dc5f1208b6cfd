"""Negate each condition and comparison of the content, empty each auxiliary fact, one at a time.

Usage: python tools/mutate_content.py [--only TEXT] [--every N] [--jobs N]

A mutant that no case notices is a condition that could be wrong without anybody seeing it.
Mutants that no patient could tell from the content stand in `equivalent_mutants.json`, each with
its reason; they must not be noticed by any case, else the reason is wrong.
Prints the survivors and ends with `N mutants, N survived`; the exit code is 1 when one survived.
"""

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the records are read there

from carepath.authoring.mutate import KINDS, Hunt, Mutant, mutants_of
from carepath.authoring.mutate.equivalent import equivalents_in
from carepath.authoring.mutate.mutants import CONNECTIVE, EMPTIED
from carepath.knowledge import Knowledge
from witnesses import with_questions, witnesses

EQUIVALENT = Path(__file__).parent / "equivalent_mutants.json"
# Facts that are not auxiliary have cases of their own, which name their values; connectives would
# double the hours that this takes.
TRIED = KINDS - {EMPTIED, CONNECTIVE}


def mutants(knowledge: Knowledge) -> Iterator[Mutant]:
    """Yield every mutant of every plan's conditions and every fact."""
    yield from mutants_of((*knowledge.all("PlanDefinition"), *knowledge.all("Library")), TRIED)


_hunt: Hunt | None = None


def _check(mutant: Mutant) -> tuple[Mutant, bool]:
    """Check one mutant in a worker process, which inherits the hunt."""
    if _hunt is None:
        raise RuntimeError("The hunt is made before the workers start.")
    return mutant, _hunt.survives(mutant)


def equivalent() -> frozenset[str]:
    """Return the mutants that no patient could tell from the content."""
    return equivalents_in(json.loads(EQUIVALENT.read_text("utf-8")), EQUIVALENT.name)


def main() -> int:
    """Run the check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only mutants whose description holds this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--every", type=int, default=1, help="only each N-th of them")
    options = parser.parse_args()
    global _hunt  # noqa: PLW0603  the worker processes inherit it
    shipped = Knowledge.shipped()
    content = with_questions(shipped)
    hunt = _hunt = Hunt(witnesses(content), content)
    if hunt.broken or not hunt.witnesses:
        print(f"These cases do not hold before any change: {[w.name for w in hunt.broken]}")
        return 1
    every = list(mutants(shipped))
    left_out = equivalent()
    wrong = [f"no such mutant: {name}" for name in left_out - {str(mutant) for mutant in every}]
    todo = [mutant for mutant in every if options.only in str(mutant)][:: options.every]
    survivors = 0
    with multiprocessing.Pool(options.jobs) as pool:
        for mutant, survived in pool.imap_unordered(_check, todo, chunksize=8):
            if survived and str(mutant) not in left_out:
                survivors += 1
                print(f"survived: {mutant}", flush=True)
            elif not survived and str(mutant) in left_out:
                wrong.append(f"not equivalent, a case notices it: {mutant}")
    print("\n".join([f"{len(left_out)} equivalent mutants are left out", *wrong]))
    counted = [mutant for mutant in todo if str(mutant) not in left_out]
    print(f"{len(counted)} mutants, {survivors} survived")
    return 1 if survivors or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
