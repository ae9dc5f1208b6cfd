"""A process that does parts until there are none left, or until nobody waits for it any more.

https://docs.python.org/3/library/multiprocessing.html
"""

import gc
import os
import signal
import sqlite3
from collections.abc import Callable, MutableSequence
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import NamedTuple

from carepath.apply import warm
from carepath.knowledge import Knowledge
from carepath.population.part_work import Job, do_part


class Task(NamedTuple):
    """A part to do, and the patients in it that are to be passed over."""

    part: int
    skip: frozenset[int] = frozenset()


class Done(NamedTuple):
    """A part that is done, and how many patients it has."""

    part: int
    patients: int


class Failed(NamedTuple):
    """Why a worker cannot go on: half a sentence."""

    reason: str


NOBODY = -1
"""At the seat of a worker that is between two patients."""


def work(
    job: Job,
    knowledge: Knowledge,
    connection: Connection,
    seat: MutableSequence[int],
    prepare: bool,
) -> None:
    """Do what is asked for over a connection; `seat[0]` tells which patient is worked on."""
    # Ctrl-C goes to all processes of a terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if prepare:
        warm(knowledge)
        gc.freeze()
    begin = _begin(seat)
    try:
        while (task := connection.recv()) is not None:
            connection.send(_done(job, knowledge, task, begin))
            seat[0] = NOBODY
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _done(
    job: Job, knowledge: Knowledge, task: Task, begin: Callable[[int], None]
) -> Done | Failed:
    try:
        return Done(task.part, do_part(job, knowledge, task.part, task.skip, begin))
    except OSError as error:
        return Failed(f"{error.filename or job.work}: {error.strerror or error}")
    except sqlite3.Error as error:
        return Failed(str(error))


def _begin(seat: MutableSequence[int]) -> Callable[[int], None]:
    """Return what takes a seat for a patient, and ends the process when its parent has ended."""
    first = os.getppid()
    parent = parent_process()

    def begin(index: int) -> None:
        seat[0] = index
        is_alone = os.getppid() != first or (parent is not None and not parent.is_alive())
        if is_alone:
            os._exit(1)

    return begin
