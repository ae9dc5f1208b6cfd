"""How a record gets into another process: as what was sent, and whose view of it is meant.

https://docs.python.org/3/library/copyreg.html

What was worked out from it is worked out again there.
"""

import copyreg
from datetime import datetime
from pickle import PicklingError
from typing import Any

from carepath.record.record import Record
from carepath.resources import Resource

__all__ = ["Record"]


def _reduced(record: Record) -> tuple[Any, ...]:
    """Return what a record is made of; raises PicklingError for what can be read only once."""
    content, left_out = record._content.made_of
    if not isinstance(content, dict | list | tuple):
        raise PicklingError("a record that was made of an iterator does not pickle; use a list")
    subject, subjects = record._subject, record.subjects
    is_alone = subject is None or (len(subjects) == 1 and subject["resourceType"] == "Patient")
    name = None if is_alone or subject is None else record.reference_to(subject)
    return _again, (content, left_out, name, record._reader.now)


def _again(
    content: Any, left_out: tuple[Resource, ...], subject: str | None, now: datetime | None
) -> Record:
    """Return the record again."""
    record = Record.of(content, subject, left_out=left_out)
    return record if now is None else record.as_of(now)


copyreg.pickle(Record, _reduced)
