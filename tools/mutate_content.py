"""Negate each condition and comparison of the content, empty each auxiliary fact, one at a time.

Usage: python tools/mutate_content.py [--only TEXT] [--every N] [--jobs N]

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
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the records are read there

from carepath.apply.compile.cache import Cache
from carepath.apply.compile.compiled import CompiledPlan
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import AUXILIARY, FACT
from carepath.fhirpath import compile_expression
from carepath.knowledge import Knowledge
from witnesses import Witness, with_questions, witnesses

EQUIVALENT = Path(__file__).parent / "equivalent_mutants.json"

# Strings, quoted names and comments are skipped whole; `<` and `>` stand only in comparisons.
TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|`[^`]*`|//[^\n]*|/\*.*?\*/|!=|!~|<=|>=|=|~|<|>", re.DOTALL)
AROUND = 60
"""How many characters before and behind a changed comparison are shown."""
OPPOSITE = {"=": "!=", "!=": "=", "~": "!~", "!~": "~", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """One change: the definition, the place of the expression in it, and the new text.

    `subject` is the action or the fact that it changes, `shown` the change with what is around it.
    """

    resource_type: str
    canonical: str
    place: Path_
    subject: str
    what: str
    text: str
    shown: str

    @property
    def definition_id(self) -> str:
        """Return the last part of the definition's URL."""
        return self.canonical.partition("|")[0].rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.canonical.rpartition('/')[2]}: {self.what}: {self.shown}"


def mutants(knowledge: Knowledge) -> Iterator[Mutant]:
    """Yield every mutant of every plan's conditions and every fact."""
    for plan in knowledge.all("PlanDefinition"):
        for name, place, text in _conditions(plan, (), ""):
            negated = f"({text}).not()"
            yield _mutant(plan, place, name, f"{name} negated", negated, negated)
            for changed, shown in _comparisons(text):
                yield _mutant(plan, place, name, f"{name} comparison", changed, shown)
    for library in knowledge.all("Library"):
        for index, extension in enumerate(library.get("extension", ())):
            if extension.get("url") == FACT:
                yield from _of_fact(library, index, extension["valueExpression"])


def _of_fact(library: dict[str, Any], index: int, value: dict[str, Any]) -> Iterator[Mutant]:
    """Yield the mutants of a fact; an auxiliary one is also emptied."""
    name, place = value["name"], ("extension", index, "valueExpression", "expression")
    for changed, shown in _comparisons(value["expression"]):
        yield _mutant(library, place, name, f"fact {name}", changed, shown)
    if any(part.get("url") == AUXILIARY for part in value.get("extension", ())):
        yield _mutant(library, place, name, f"fact {name} emptied", "{}", "{}")


def _mutant(
    definition: dict[str, Any], place: Path_, subject: str, what: str, text: str, shown: str
) -> Mutant:
    canonical = f"{definition['url']}|{definition['version']}"
    return Mutant(definition["resourceType"], canonical, place, subject, what, text, shown)


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


def _comparisons(text: str) -> Iterator[tuple[str, str]]:
    """Yield the text with each comparison turned round in its turn, and how that is shown."""
    found = [token for token in TOKEN.finditer(text) if token.group() in OPPOSITE]
    for number, token in enumerate(found, start=1):
        opposite = OPPOSITE[token.group()]
        before, after = text[: token.start()], text[token.end() :]
        shown = f"{number}. {before[-AROUND:]}[{opposite}]{after[:AROUND]}"
        yield f"{before}{opposite}{after}", shown


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
    made = changed.derived(Cache)._made
    for (kind, key), value in knowledge.derived(Cache)._made.items():
        if kind is Formula or (resource_type == "PlanDefinition" and kind is not CompiledPlan):
            made[kind, key] = value
    changed.__dict__["terminology"] = knowledge.terminology


class Hunt:
    """Looks for a case that notices a mutant, trying first the cases that are likely to."""

    def __init__(self) -> None:
        self.shipped = Knowledge.shipped()
        self.knowledge = with_questions(self.shipped)
        self.cases = list(witnesses(self.knowledge))
        self.caught: Counter[tuple[str, str]] = Counter()
        """How often a case noticed a change of a fact or an action."""
        self.broken = [case.name for case in self.cases if not case.holds]

    def survives(self, mutant: Mutant) -> bool:
        """Tell whether no case notices the mutant."""
        changed = mutated(self.knowledge, mutant)
        for case in self._asked(mutant):
            if case.notices(changed):
                self.caught[mutant.subject, case.name] += 1
                return False
        return True

    def _asked(self, mutant: Mutant) -> list[Witness]:
        """Return the cases that can notice a mutant, the likeliest and cheapest first."""
        if mutant.resource_type == "PlanDefinition":
            action = (mutant.definition_id, mutant.subject)
            return sorted(
                (case for case in self.cases if action in case.actions),
                key=lambda case: -self.caught[mutant.subject, case.name],
            )

        fact, expression = mutant.subject, compile_expression(mutant.text)

        def rank(case: Witness) -> tuple[bool, int, bool]:
            return (not self.caught[fact, case.name], case.cost, fact not in case.named)

        return sorted((case for case in self.cases if case.differs(fact, expression)), key=rank)


_hunt: Hunt | None = None


def _check(mutant: Mutant) -> tuple[Mutant, bool]:
    """Check one mutant in a worker process, which inherits the hunt."""
    if _hunt is None:
        raise RuntimeError("The hunt is made before the workers start.")
    return mutant, _hunt.survives(mutant)


def equivalent() -> frozenset[str]:
    """Return the mutants that no patient could tell from the content."""
    return frozenset(entry["mutant"] for entry in json.loads(EQUIVALENT.read_text("utf-8")))


def main() -> int:
    """Run the check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only mutants whose description holds this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--every", type=int, default=1, help="only each N-th of them")
    options = parser.parse_args()
    global _hunt  # noqa: PLW0603  the worker processes inherit it
    hunt = _hunt = Hunt()
    if hunt.broken or not hunt.cases:
        print(f"These cases do not hold before any change: {hunt.broken}")
        return 1
    every = list(mutants(hunt.shipped))
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
