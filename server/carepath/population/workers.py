"""Several processes that do the parts of a population; one that dies costs nothing.

https://docs.python.org/3/library/multiprocessing.html

A worker has one part at a time and asks for the next: nothing piles up.  What it writes gets its
name when it is whole, so a part that was not finished is done again by another worker, with the
same bytes.  The patient at whom two workers have died is passed over and named.
"""

import multiprocessing
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, MutableSequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Literal

from carepath.apply import warm
from carepath.errors import RunStopped
from carepath.knowledge import Knowledge
from carepath.population.output import counts_file, counts_of
from carepath.population.part_work import Job
from carepath.population.worker import NOBODY, Done, Failed, Task, work

Start = Literal["spawn", "forkserver", "fork"]
_DEATHS_OF_PATIENT, _DEATHS_OF_NOBODY = 2, 5
_TICK = 0.2
_GRACE = 60.0
"""Seconds beyond twice the time of a patient after which a worker counts as stuck."""
_ENOUGH = 200
"""So many patients are worth compiling everything beforehand."""


@dataclass(slots=True)
class _Worker:
    """A process, and what it is doing."""

    process: SpawnProcess
    connection: Connection
    seat: MutableSequence[int]
    task: Task | None = None
    seen: int = NOBODY
    since: float = field(default_factory=time.monotonic)


class Workers:
    """The processes of one run."""

    def __init__(
        self,
        job: Job,
        knowledge: Knowledge,
        parts: Iterable[int],
        *,
        count: int,
        start: Start = "spawn",
        patients: int = 0,
        progress: Callable[[int], None] = lambda patients: None,
    ) -> None:
        """Take the parts to do; `patients` is how many there may be, for what pays."""
        self._context: Any = multiprocessing.get_context(start)
        self._job, self._knowledge = job, knowledge
        self._waiting = deque(map(Task, parts))
        self._count = min(count, len(self._waiting))
        self._prepare = patients >= _ENOUGH
        self._progress = progress
        self._workers: list[_Worker] = []
        self._deaths: Counter[tuple[int, int]] = Counter()
        self._patients = 0
        if start == "fork" and self._prepare:
            # Done once, and seen by all of them.
            warm(knowledge)
            self._prepare = False

    def run(self) -> int:
        """Do all parts, and return how many patients they have; raises RunStopped."""
        try:
            for _ in range(self._count):
                self._begin()
            while self._workers:
                self._look()
                self._progress(self._patients + sum(max(w.seat[0], 0) for w in self._workers))
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()
        return self._patients

    def _begin(self) -> None:
        """Start a worker and give it the first part."""
        ours, its = self._context.Pipe()
        seat = self._context.RawArray("q", [NOBODY])
        args = (self._job, self._knowledge, its, seat, self._prepare)
        process = self._context.Process(target=work, args=args, daemon=True)
        with _without_interrupts():
            process.start()
        its.close()
        worker = _Worker(process, ours, seat)
        self._workers.append(worker)
        self._give(worker)

    def _give(self, worker: _Worker) -> None:
        """Give a worker its next part, or let it go."""
        worker.task = self._waiting.popleft() if self._waiting else None
        worker.seat[0] = worker.seen = NOBODY
        worker.since = time.monotonic()
        try:
            worker.connection.send(worker.task)
        except OSError:
            return  # It has died; the next look finds it.
        if worker.task is None:
            self._workers.remove(worker)
            worker.process.join()

    def _look(self) -> None:
        """See what the workers have to say, and which have died or are stuck."""
        workers = list(self._workers)
        sources = [source for w in workers for source in (w.connection, w.process.sentinel)]
        ready = set(wait(sources, timeout=_TICK))
        for worker in workers:
            if worker.connection in ready:
                self._hear(worker)
            if worker.process.sentinel in ready and worker in self._workers:
                self._bury(worker)
        for worker in list(self._workers):
            self._watch(worker)

    def _hear(self, worker: _Worker) -> None:
        try:
            said = worker.connection.recv()
        except (EOFError, OSError):
            return  # Its sentinel tells.
        if isinstance(said, Failed):
            raise RunStopped(str(self._job.work.parent), said.reason)
        if isinstance(said, Done):
            self._patients += said.patients
            self._give(worker)

    def _bury(self, worker: _Worker) -> None:
        """Put back the part of a worker that has died, and start another worker."""
        worker.process.join()
        worker.connection.close()
        self._workers.remove(worker)
        task, patient = worker.task, worker.seat[0]
        if task is not None and counts_file(self._job.work, task.part).exists():
            # It had written everything, and died before it could say so.
            self._patients += counts_of(self._job.work, (task.part,)).patients
        elif task is not None:
            key = (task.part, patient)
            self._deaths[key] += 1
            if patient == NOBODY and self._deaths[key] >= _DEATHS_OF_NOBODY:
                code = worker.process.exitcode
                reason = f"the worker processes end before they begin (exit code {code})"
                raise RunStopped(str(self._job.work.parent), reason)
            if patient != NOBODY and self._deaths[key] >= _DEATHS_OF_PATIENT:
                task = task._replace(skip=task.skip | {patient})
            self._waiting.appendleft(task)
        if self._waiting:
            self._begin()

    def _watch(self, worker: _Worker) -> None:
        """End a worker that is with one patient for far longer than it may be."""
        now = time.monotonic()
        if worker.seat[0] != worker.seen:
            worker.seen, worker.since = worker.seat[0], now
        elif worker.seen != NOBODY and now - worker.since > 2 * self._job.how.seconds + _GRACE:
            worker.process.kill()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let a process that is started here take no Ctrl-C for its own before it says so itself."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # Only the main thread has a say in signals.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
