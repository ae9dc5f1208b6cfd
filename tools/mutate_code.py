"""Apply each change of a fixed list to a copy of the code; a test must catch each.

Usage: python tools/mutate_code.py [--only TEXT] [--jobs N]

The lists in `code_mutants/*.json` hold `file`, `before` (which stands once in it), `after`, and
`why`: what a reader would have to fear.  `equivalent` tells why nobody could see the difference;
such a change must not be caught, else the reason is wrong.  `code_mutants/concerned.toml` says
which tests concern which files.  The checkout itself is never touched.  Prints how far it is and
what survived, and ends with `N mutants, N survived`; the exit code is 1 when one survived.
"""

import argparse
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from warm_pytest import WarmPytest

ROOT = Path(__file__).parents[1]
LISTS = Path(__file__).parent / "code_mutants"
COPIED = ("server", "tests", "pathways", "fhir_profiles", "docs", "examples")
DATA_PACKAGES = ("pathways", "fhir_profiles", "examples", "docs")

# The plugin of schemathesis takes as long to load as most of these tests.
_WITHOUT = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
PYTEST = ("-x", "-q", "--no-header", *_WITHOUT, "-m", "not slow and not network")
LONGEST = 600
"""Seconds after which a change that keeps the tests from ending counts as caught."""
_TOLD_EACH = 10
_SHOWN = 3000


Asked = TypeVar("Asked")
Said = TypeVar("Said")


@cache
def concerned() -> dict[str, tuple[str, ...]]:
    """Return the tests that concern a file, by the start of its path, the quick ones first."""
    table = tomllib.loads((LISTS / "concerned.toml").read_text("utf-8"))
    return {start: tuple(tests) for start, tests in table.items()}


@dataclass(frozen=True)
class Mutant:
    """One change of one file, and why it matters."""

    file: str
    before: str
    after: str
    why: str
    equivalent: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.why}: {self.before!r} -> {self.after!r}"

    @property
    def tests(self) -> tuple[str, ...]:
        """Return the tests of the longest start of the path; ValueError when none are known."""
        return concerned()[max((s for s in concerned() if self.file.startswith(s)), key=len)]

    @property
    def rounds(self) -> tuple[tuple[str, ...], ...]:
        """Return the first of the tests, then the others, each with the items to leave out.

        The first finds most, and to collect the others takes longer than to run it.
        """
        left_out = tuple(test for test in self.tests if test.startswith("--"))
        first, *others = (test for test in self.tests if test not in left_out)
        return tuple((*some, *left_out) for some in ([first], others) if some)

    def applied_to(self, text: str) -> str:
        """Return the changed text of the file; ValueError unless `before` stands in it once."""
        if text.count(self.before) != 1:
            raise ValueError(f"`{self.before}` does not stand exactly once in {self.file}.")
        return text.replace(self.before, self.after)


def read_mutants(folder: Path = LISTS) -> tuple[Mutant, ...]:
    """Return the changes of all lists, in the order of their files."""
    paths = sorted(folder.glob("*.json"))
    return tuple(Mutant(**one) for path in paths for one in json.loads(path.read_text("utf-8")))


class Copy:
    """A copy of the source tree, in which one change at a time is made and taken back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=without)
        for path in (*ROOT.glob("*.toml"), *ROOT.glob("*.md")):
            shutil.copy(path, folder)
        for name in DATA_PACKAGES:
            (folder / "server" / "carepath" / name).symlink_to(folder / name)
        # Bytecode is told apart by its source, not by a time that two changes may share.
        compiled = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "server"]
        subprocess.run([sys.executable, *compiled], cwd=folder, check=True)
        self._pytest = WarmPytest(folder)

    def holds(self, tests: Iterable[str]) -> bool:
        """Tell whether the tests hold as the copy stands now, asked in their order."""
        # Their temporary files go away with the copy.
        place = f"--basetemp={self.folder / 'temporary'}"
        return self._pytest.run([*PYTEST, place, *tests], LONGEST) == 0

    def fails(self, tests: Iterable[str]) -> str:
        """Return the end of what pytest prints of the tests, or nothing when they hold."""
        if self.holds(tests):
            return ""
        return (self.folder / WarmPytest.OUTPUT).read_text("utf-8", "replace")[-_SHOWN:]

    def survives(self, mutant: Mutant) -> bool:
        """Tell whether the tests hold with the change."""
        path = self.folder / mutant.file
        text = path.read_text("utf-8")
        path.write_text(mutant.applied_to(text), "utf-8")
        try:
            return all(map(self.holds, mutant.rounds))
        finally:
            path.write_text(text, "utf-8")

    def end(self) -> None:
        """End the process of the copy."""
        self._pytest.end()


class Copies:
    """Copies of the source tree, each lent to one question at a time."""

    def __init__(self, folder: Path, number: int) -> None:
        self._free: queue.Queue[Copy] = queue.Queue()
        self._threads = ThreadPoolExecutor(number)
        for n in range(number):
            (folder / str(n)).mkdir()
            self._free.put(Copy(folder / str(n)))

    def answers(
        self, question: Callable[[Copy, Asked], Said], to: Iterable[Asked]
    ) -> Iterator[Said]:
        """Yield what the question says of each, in their order."""

        def answer(one: Asked) -> Said:
            copy = self._free.get()
            try:
                return question(copy, one)
            finally:
                self._free.put(copy)

        return self._threads.map(answer, to)

    def end(self) -> None:
        """End what runs, once it has answered."""
        self._threads.shutdown(cancel_futures=True)
        while not self._free.empty():
            self._free.get().end()


@contextmanager
def copies(number: int) -> Iterator[Copies]:
    """Lend copies of the source tree, one for each change that is tried at a time."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        some = Copies(Path(folder), number)
        try:
            yield some
        finally:
            some.end()


def main() -> int:
    """Run the check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only mutants whose description holds this text")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    todo = [mutant for mutant in read_mutants() if options.only in str(mutant)]
    with copies(options.jobs) as some:
        failing = _failing(some, todo)
        if failing or not todo:
            print("These tests do not hold before any change:", *failing, sep="\n")
            return 1
        return _report(todo, some.answers(Copy.survives, todo))


def _failing(some: Copies, todo: list[Mutant]) -> list[str]:
    """Return what pytest prints of the tests that do not hold before any change."""
    arguments = sorted({test for mutant in todo for test in mutant.tests})
    tests = [test for test in arguments if not test.startswith("--")]
    left_out = [test for test in arguments if test.startswith("--")]
    return list(filter(None, some.answers(lambda copy, test: copy.fails([*left_out, test]), tests)))


def _report(todo: list[Mutant], results: Iterator[bool]) -> int:
    """Print what survived; return the exit code."""
    survivors = wrong = 0
    for count, (mutant, survived) in enumerate(zip(todo, results, strict=True), 1):
        if survived and not mutant.equivalent:
            survivors += 1
            print(f"survived: {mutant}", flush=True)
        elif mutant.equivalent and not survived:
            wrong += 1
            print(f"not equivalent, a test notices it: {mutant}", flush=True)
        if count % _TOLD_EACH == 0:
            print(f"{count} of {len(todo)} tried", flush=True)
    equivalent = sum(bool(mutant.equivalent) for mutant in todo)
    print(f"{equivalent} equivalent mutants are left out")
    print(f"{len(todo) - equivalent} mutants, {survivors} survived")
    return 1 if survivors or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
