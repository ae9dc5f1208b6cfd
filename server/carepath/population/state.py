"""What a run remembers on the disk: what was asked, how far it is, and who holds the folder.

`run.json` stands in the folder of the output and stays there: it says how the output was made.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from carepath.errors import InvalidParameter, MalformedInput, RunStopped
from carepath.formats.json import decode, encode
from carepath.population.output import beside

NAME, WORK = "run.json", "work"
Stage = Literal["reading", "applying", "done"]
_WAIT = 10.0
"""Seconds that workers of a run which was killed may need to notice."""


@dataclass(frozen=True, slots=True)
class State:
    """A run: `asked` is what must be the same for it to go on."""

    asked: Mapping[str, Any]
    stage: Stage = "reading"
    parts: int = 0
    files: tuple[tuple[str, str], ...] = ()
    patients: int = 0
    lines: int = 0
    types: Mapping[str, int] = field(default_factory=dict)
    unused: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0
    remarks: tuple[str, ...] = ()
    with_shared: bool = False

    def store(self, out: Path) -> None:
        """Write the state; raises OSError."""
        with beside(out / NAME) as file:
            file.write(encode(asdict(self), pretty=True))


def kept(out: Path) -> State | None:
    """Return the state in a folder, None when there is none; raises MalformedInput."""
    try:
        data = (out / NAME).read_bytes()
    except OSError:
        return None
    try:
        return msgspec.convert(decode(data), State)
    except (msgspec.ValidationError, MalformedInput) as error:
        raise MalformedInput("it is no state of a run", str(out / NAME)) from error


def refuse_other(state: State, asked: Mapping[str, Any], out: Path) -> None:
    """Raise InvalidParameter when what is asked is not what the run in the folder was asked."""
    now = decode(encode(dict(asked)))
    other = [name for name in (*now, *state.asked) if now.get(name) != state.asked.get(name)]
    if other:
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(other))
        expected = f"the options, content and input of the run in `{out}`; not the same: {names}"
        raise InvalidParameter("--resume", "true", expected)


def prepared(out: Path, *, resume: bool) -> State | None:
    """Make the folder of the output; return the state of the run that goes on there.

    Raises InvalidParameter when something is there and nobody asked to go on, or nothing to go on
    with.
    """
    state = kept(out)
    if resume and state is None:
        raise InvalidParameter("--resume", "true", f"a run to go on with; there is none in `{out}`")
    if not resume and out.exists() and (not out.is_dir() or any(out.iterdir())):
        expected = "a folder that is empty or not there"
        if state is not None and state.stage != "done":
            expected = "another folder, or `--resume` to go on with the run that is in it"
        raise InvalidParameter("--out", str(out), expected)
    (out / WORK).mkdir(parents=True, exist_ok=True)
    return state


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Keep a folder for one run; raises RunStopped when another process has it."""
    number = os.open(out, os.O_RDONLY)
    try:
        end = time.monotonic() + _WAIT
        while not _locked(number):
            if time.monotonic() > end:
                raise RunStopped(str(out), "another run is at work there")
            time.sleep(_WAIT / 100)
        yield
    finally:
        os.close(number)


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def applying(state: State, **found: Any) -> State:
    """Return the state when all lines are in their parts."""
    return replace(state, stage="applying", **found)
