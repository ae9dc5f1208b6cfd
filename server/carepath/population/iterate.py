"""Plans for many records in Python: the work in several processes, the results one by one.

https://docs.python.org/3/library/concurrent.futures.html
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from carepath.apply import Applied, ApplyRequest, Decision, apply_plan
from carepath.errors import CarepathError
from carepath.formats.json import decode, encode
from carepath.issues import Issue
from carepath.knowledge import Knowledge, plan_named
from carepath.population.workers import Start
from carepath.record import Record
from carepath.resources import Resource, canonical_of

Given = Record | Resource | Sequence[Resource]
"""What counts as the data of a patient: a record, or what `Record.of` reads."""
_AHEAD = 4
"""So many applications for each process are under way or wait to be taken."""
_BREAKS = 3


class _Made(NamedTuple):
    """What a process sends back of an application."""

    care_plan: bytes
    decisions: tuple[Decision, ...]
    issues: tuple[Issue, ...]


def apply_many(
    records: Iterable[Given],
    plans: str | Sequence[str] = (),
    *,
    now: datetime,
    workers: int = 1,
    knowledge: Knowledge | None = None,
    parameters: Mapping[str, Sequence[Any]] | None = None,
    start: Start = "spawn",
    on_error: Callable[[Given, CarepathError], None] | None = None,
) -> Iterator[Applied]:
    """Yield what comes of each plan for each patient, in the order of the records.

    `plans` are ids or canonicals; without any, the only top-level plan is applied.  With several
    `workers` each is a process of its own, and records are read no further ahead than they need.
    An error of one record ends all, unless `on_error` is there to be told of it.
    """
    known = knowledge or Knowledge.shipped()
    names: Sequence[str | None] = [plans] if isinstance(plans, str) else plans or [None]
    definitions = [plan_named(name, known) for name in names]
    asked = ApplyRequest({}, Record.of([]), now, parameters=parameters or {})
    requests = _requests(records, definitions, asked, on_error)
    made = _here(requests, known) if workers <= 1 else _there(requests, known, workers, start)
    for given, result in made:
        if not isinstance(result, CarepathError):
            yield result
        elif on_error is None:
            raise result
        else:
            on_error(given, result)


_Asked = tuple[Given, ApplyRequest]
_Result = tuple[Given, Applied | CarepathError]


def _requests(
    records: Iterable[Given],
    definitions: Sequence[Resource],
    asked: ApplyRequest,
    on_error: Callable[[Given, CarepathError], None] | None,
) -> Iterator[_Asked]:
    """Yield an application for each patient and plan."""
    for given in records:
        try:
            record = given if isinstance(given, Record) else Record.of(given)
        except CarepathError as error:
            if on_error is None:
                raise
            on_error(given, error)
            continue
        alone = record.subject is not None or not record.subjects
        for subject in [None] if alone else dict.fromkeys(record.subjects):
            for definition in definitions:
                yield given, replace(asked, definition=definition, record=record, subject=subject)


def _here(requests: Iterable[_Asked], knowledge: Knowledge) -> Iterator[_Result]:
    for given, request in requests:
        try:
            yield given, apply_plan(request, knowledge)
        except CarepathError as error:
            yield given, error


class _Carried(Applied):
    """An application that another process did: what is not sent along is worked out again here."""

    def __init__(self, request: ApplyRequest, knowledge: Knowledge, made: _Made) -> None:
        self._asked = request, knowledge
        self._made = made
        self.__dict__["decisions"] = made.decisions
        self.__dict__["issues"] = made.issues

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_asked" not in self.__dict__:
            raise AttributeError(name)
        again = apply_plan(*self._asked)
        self.__dict__.update({**vars(again), **self.__dict__})
        return self.__dict__[name]

    def __reduce__(self) -> tuple[Any, ...]:
        return _Carried, (*self._asked, self._made)

    def care_plan(self) -> Resource:
        """Return the CarePlan as the other process made it."""
        made: Resource = decode(self._made.care_plan)
        return made


def _there(
    requests: Iterable[_Asked], knowledge: Knowledge, workers: int, start: Start
) -> Iterator[_Result]:
    """Yield results in order; what was under way when a process died is done again."""
    source = iter(requests)
    waiting: deque[tuple[_Asked, Future[_Made | CarepathError]]] = deque()
    context = multiprocessing.get_context(start)
    breaks = 0
    with ExitStack() as stack:

        def pool() -> ProcessPoolExecutor:
            made = ProcessPoolExecutor(workers, context, _begin, (knowledge,))
            return stack.enter_context(made)

        current = pool()
        while True:
            for asked in islice(source, workers * _AHEAD - len(waiting)):
                waiting.append((asked, current.submit(_apply, asked[1])))
            if not waiting:
                return
            (given, request), future = waiting[0]
            try:
                made = future.result()
            except BrokenProcessPool:
                breaks += 1
                if breaks >= _BREAKS:
                    raise
                current = pool()
                waiting = deque((one, current.submit(_apply, one[1])) for one, _ in waiting)
                continue
            waiting.popleft()
            breaks = 0
            if isinstance(made, CarepathError):
                yield given, made
            else:
                yield given, _Carried(request, knowledge, made)


_KNOWLEDGE: list[Knowledge] = []
"""That of a process of the pool."""


def _begin(knowledge: Knowledge) -> None:
    _KNOWLEDGE[:] = [knowledge]


def _apply(request: ApplyRequest) -> _Made | CarepathError:
    try:
        definition = _KNOWLEDGE[0].resolve(canonical_of(request.definition))
        applied = apply_plan(replace(request, definition=definition), _KNOWLEDGE[0])
        return _Made(encode(applied.care_plan()), applied.decisions, applied.issues)
    except CarepathError as error:
        return error
