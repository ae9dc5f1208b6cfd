"""One invocation of an operation: what was given, and what the service knows beside it.

https://hl7.org/fhir/R4/operations.html#executing
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from carepath.issues import Issue
from carepath.resources import Resource
from carepath.validation import Readable
from carepath.web.operations.model import Arguments, Level, Operation
from carepath.web.service import Service

NOTHING = Readable(None)


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation of an operation."""

    operation: Operation
    level: Level
    resource_type: str
    id: str
    arguments: Arguments
    service: Service
    now: datetime
    base: str
    issues: tuple[Issue, ...] = ()
    """What is odd about what was sent, and yet accepted."""
    sent: Resource | None = None
    """The body, where there is one."""
    read: Readable = NOTHING
    """What of the body can be read, and what is left out."""

    def one(self, name: str, default: Any = None) -> Any:
        """Return the value of a parameter that is given at most once."""
        values = self.arguments.get(name)
        return values[0] if values else default

    def many(self, name: str) -> list[Any]:
        """Return all values of a parameter."""
        return self.arguments.get(name, [])


Run = Callable[[Call], Resource]
"""What carries an operation out."""
