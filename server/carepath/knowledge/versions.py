"""Which of two business versions is the newer one.

https://hl7.org/fhir/R4/resource.html#versions and https://semver.org/#spec-item-11

R4 does not say how versions are ordered.  Numbers between dots are compared as numbers, a
pre-release comes before its release, and texts that are no such version come before all that are.
"""

import re
from typing import Any

_SEMANTIC = re.compile(r"v?(?P<numbers>[0-9]+(?:\.[0-9]+)*)(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+.*)?")
_PARTS = re.compile(r"[0-9]+|[^0-9]+")


def version_key(version: str) -> tuple[Any, ...]:
    """Return a key that sorts versions from the oldest to the newest; none at all is the oldest."""
    match = _SEMANTIC.fullmatch(version)
    if match is None:
        return (1 if version else 0, *_natural(version))
    numbers = [_number(text) for text in match["numbers"].split(".")]
    while numbers and numbers[-1] == _number("0"):
        numbers.pop()
    pre = match["pre"]
    return (2, tuple(numbers), pre is None, _natural(pre or ""))


def _number(digits: str) -> tuple[int, str]:
    """Return a key by which numbers of any length compare by value."""
    significant = digits.lstrip("0")
    return len(significant), significant


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a text as parts that compare digits by value, and digits before letters."""
    return tuple(
        (0, *_number(part)) if part[0] in "0123456789" else (1, 0, part)
        for part in _PARTS.findall(text)
    )
