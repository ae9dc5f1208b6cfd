"""Until when the work of this thread has to be done: every long loop looks, nobody interrupts it.

The time is kept beside the arguments, in a context variable: the loops stand in every room, most
of them far below whoever knows the time, and nothing that they compute depends on it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_OFTEN = 100
"""Steps between two looks at the clock in a loop of cheap steps."""


class OutOfTime(BaseException):
    """The time is up.

    It is no Exception: no step may take it for the fault of one datum, and go on with the next.
    """


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a clock that only goes forward."""

    at: float
    clock: Callable[[], float]

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float]) -> "Deadline":
        """Return the deadline so many seconds from now."""
        return cls(clock() + seconds, clock)


_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def until(deadline: Deadline) -> Iterator[None]:
    """Let the block, and all it calls in this thread, end with OutOfTime at the deadline."""
    before = _CURRENT.set(deadline)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def check() -> None:
    """Raise OutOfTime when the deadline of this thread is over; without one there is no end."""
    deadline = _CURRENT.get()
    if deadline is not None and deadline.clock() >= deadline.at:
        raise OutOfTime


def left(most: float) -> float:
    """Return how many seconds this thread has left, `most` when that is less or there is no end."""
    deadline = _CURRENT.get()
    return most if deadline is None else min(most, deadline.at - deadline.clock())


def paced(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, and look at the clock now and then; for loops of cheap steps."""
    left = 0
    for item in items:
        if left == 0:
            check()
            left = _OFTEN
        left -= 1
        yield item
