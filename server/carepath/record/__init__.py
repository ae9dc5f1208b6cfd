"""What was sent, and one patient's view of it, read so that no fact is silently wrong."""

from carepath.record.paths import values_at
from carepath.record.patients import SUBJECT_ELEMENTS
from carepath.record.pickling import Record
from carepath.record.remarks import Remark
from carepath.record.unread import ANY_TYPE

__all__ = ["ANY_TYPE", "SUBJECT_ELEMENTS", "Record", "Remark", "values_at"]
