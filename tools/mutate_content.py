"""Negate each condition and comparison of the content in turn; a case must catch each.

Usage: python tools/mutate_content.py [--only TEXT] [--jobs N]

A mutant that no case notices is a condition that could be wrong without anybody seeing it.
Mutants that no patient could tell from the content stand in `equivalent_mutants.json`, each with
its reason; they must not be noticed by any case, else the reason is wrong.
Prints the survivors and ends with `N mutants, N survived`; the exit code is 1 when one survived.
"""

import argparse
import copy
import json
import multiprocessing
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carepath.cases import Case, differences, read_cases, run_case
from carepath.errors import CarepathError
from carepath.fact_cases import FactCase, fact_differences, read_fact_cases
from carepath.knowledge import Knowledge

CASES = Path(__file__).parents[1] / "tests" / "cases"
FACT_CASES = Path(__file__).parents[1] / "tests" / "facts" / "cases"
EQUIVALENT = Path(__file__).parent / "equivalent_mutants.json"
FACT = "https://carepath.example/fhir/StructureDefinition/fact"

# Strings, quoted names and comments are skipped whole; `<` and `>` stand only in comparisons.
TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|`[^`]*`|//[^\n]*|/\*.*?\*/|!=|!~|<=|>=|=|~|<|>", re.DOTALL)
OPPOSITE = {"=": "!=", "!=": "=", "~": "!~", "!~": "~", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """One change: the definition, the place of the expression in it, and the new text."""

    resource_type: str
    canonical: str
    place: Path_
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.canonical.rpartition('/')[2]}: {self.what}: {self.text}"


def mutants(knowledge: Knowledge) -> Iterator[Mutant]:
    """Yield every mutant of every plan's conditions and every fact."""
    for plan in knowledge.all("PlanDefinition"):
        for name, place, text in _conditions(plan, (), ""):
            yield _mutant(plan, place, f"{name} negated", f"({text}).not()")
            for changed in _comparisons(text):
                yield _mutant(plan, place, f"{name} comparison", changed)
    for library in knowledge.all("Library"):
        for index, extension in enumerate(library.get("extension", ())):
            if extension.get("url") == FACT:
                value = extension["valueExpression"]
                place = ("extension", index, "valueExpression", "expression")
                for changed in _comparisons(value["expression"]):
                    yield _mutant(library, place, f"fact {value['name']}", changed)


def _mutant(definition: dict[str, Any], place: Path_, what: str, text: str) -> Mutant:
    canonical = f"{definition['url']}|{definition['version']}"
    return Mutant(definition["resourceType"], canonical, place, what, text)


def _conditions(
    element: dict[str, Any], place: Path_, name: str
) -> Iterator[tuple[str, Path_, str]]:
    """Yield name, place and text of each applicability condition below an element."""
    for index, condition in enumerate(element.get("condition", ())):
        if condition["kind"] == "applicability":
            where = (*place, "condition", index, "expression", "expression")
            yield name, where, condition["expression"]["expression"]
    for index, action in enumerate(element.get("action", ())):
        yield from _conditions(action, (*place, "action", index), action.get("id", str(index)))


def _comparisons(text: str) -> Iterator[str]:
    """Yield the text with each comparison turned round in its turn."""
    for token in TOKEN.finditer(text):
        opposite = OPPOSITE.get(token.group())
        if opposite:
            yield text[: token.start()] + opposite + text[token.end() :]


def mutated(knowledge: Knowledge, mutant: Mutant) -> Knowledge:
    """Return the knowledge with the mutant in the place of the original."""
    definition = copy.deepcopy(knowledge.definition(mutant.resource_type, mutant.canonical))
    element: Any = definition
    for step in mutant.place[:-1]:
        element = element[step]
    element[mutant.place[-1]] = mutant.text
    changed = knowledge.with_definitions([definition])
    _keep_compiled(knowledge, changed, mutant.resource_type)
    return changed


def _keep_compiled(knowledge: Knowledge, changed: Knowledge, resource_type: str) -> None:
    """Take along what the change does not touch: it is the larger part of the time.

    Expressions depend on no definition; Libraries only on each other; value sets do not change.
    """

    def stays(key: Any) -> bool:
        kind = key[0] if isinstance(key, tuple) else key
        if kind == "formula":
            return True
        return resource_type == "PlanDefinition" and not (
            isinstance(kind, tuple) and kind[0] == "plan"
        )

    changed._memo.update({k: v for k, v in knowledge._memo.items() if stays(k)})
    changed.__dict__["terminology"] = knowledge.terminology


class Hunt:
    """Looks for a case that notices a mutant, trying first the cases that noticed the last ones."""

    def __init__(self) -> None:
        self.knowledge = Knowledge.shipped()
        self.cases = list(read_cases(CASES))
        self.fact_cases = list(read_fact_cases(FACT_CASES))
        self.caught: Counter[str] = Counter()
        self.broken: list[str] = []
        self.reaching: dict[tuple[str, str], list[Case]] = defaultdict(list)
        """The cases in which an action is decided, by plan and action; no other can notice it."""
        for case in self.cases:
            self._note(case)
        for fact_case in self.fact_cases:
            if self._fact_case_notices(fact_case, self.knowledge):
                self.broken.append(fact_case.name)

    def _note(self, case: Case) -> None:
        applied = run_case(case, self.knowledge)
        if differences(case, applied):
            self.broken.append(case.name)
        for plan, action in {(d.plan, d.id) for d in applied.decisions}:
            self.reaching[plan, action].append(case)

    def survives(self, mutant: Mutant) -> bool:
        """Tell whether no case notices the mutant."""
        changed = mutated(self.knowledge, mutant)
        plan = mutant.canonical.partition("|")[0].rpartition("/")[2]
        cases = self.reaching[plan, mutant.what.partition(" ")[0]]
        if mutant.resource_type == "Library":
            if self._fact_cases_notice(mutant, changed):
                return False
            cases = self.cases
        for case in sorted(cases, key=lambda c: (c.pathway != plan, -self.caught[c.name])):
            if self._notices(case, changed):
                self.caught[case.name] += 1
                return False
        return True

    def _fact_cases_notice(self, mutant: Mutant, knowledge: Knowledge) -> bool:
        """Tell whether a fact case notices; those that name the changed fact are tried first."""
        fact = mutant.what.removeprefix("fact ")

        def rank(case: FactCase) -> tuple[bool, int]:
            return fact not in case.facts, -self.caught[case.name]

        for case in sorted(self.fact_cases, key=rank):
            if self._fact_case_notices(case, knowledge):
                self.caught[case.name] += 1
                return True
        return False

    @staticmethod
    def _fact_case_notices(case: FactCase, knowledge: Knowledge) -> bool:
        try:
            return bool(fact_differences(case, knowledge))
        except CarepathError:
            return True

    @staticmethod
    def _notices(case: Case, knowledge: Knowledge) -> bool:
        try:
            return bool(differences(case, run_case(case, knowledge)))
        except CarepathError:
            return True


_hunt: Hunt | None = None


def _check(mutant: Mutant) -> tuple[Mutant, bool]:
    """Check one mutant in a worker process, which builds its hunt once."""
    global _hunt  # noqa: PLW0603  one hunt for each worker process
    _hunt = _hunt or Hunt()
    return mutant, _hunt.survives(mutant)


def equivalent() -> frozenset[str]:
    """Return the mutants that no patient could tell from the content."""
    return frozenset(entry["mutant"] for entry in json.loads(EQUIVALENT.read_text("utf-8")))


def main() -> int:
    """Run the check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only mutants whose description holds this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    global _hunt  # noqa: PLW0603  the worker processes inherit it
    hunt = _hunt = Hunt()
    if hunt.broken or not hunt.cases:
        print(f"These cases do not hold before any change: {hunt.broken}")
        return 1
    every = list(mutants(hunt.knowledge))
    left_out = equivalent()
    wrong = [f"no such mutant: {name}" for name in left_out - {str(mutant) for mutant in every}]
    todo = [mutant for mutant in every if options.only in str(mutant)]
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
