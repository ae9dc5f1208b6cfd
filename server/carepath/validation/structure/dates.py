"""Dates and times that break the rules of R4 but can still be read without guessing.

https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

import re
from datetime import datetime

TEMPORAL = frozenset({"date", "dateTime", "instant", "time"})

_READABLE = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)T(?P<time>\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?"
)


def is_readable(type_name: str, text: str) -> bool:
    """Tell whether a refused date still says one thing: a dateTime without zone or seconds.

    A time zone is required from hours on; senders leave it out, and the day stays certain.  A day
    that does not exist, another order of parts or a local format is never readable.
    """
    if type_name not in ("dateTime", "instant"):
        return False
    match = _READABLE.fullmatch(text.strip())
    if match is None:
        return False
    try:
        datetime.fromisoformat(f"{match['date']}T{match['time']}+00:00")
    except ValueError:
        return False
    return not match["date"].startswith("0000")
