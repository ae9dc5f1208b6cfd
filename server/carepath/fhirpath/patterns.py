"""Regular expressions that cannot blow up.

https://hl7.org/fhirpath/#matchesregex--string--boolean

They run on RE2, whose time grows with the length of the text alone.  What RE2 cannot do
(looking around, back references) is refused, not passed on to an engine that may never return.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from carepath import deadline
from carepath.fhirpath.values.failure import Failure, LimitReached

_MAX_PATTERN = 10_000
_FLAGS = frozenset("ims")
_BIG_REPEAT = r"\{(\d+)(,?)(\d*)\}"
_RE2_REPEAT = 1000
_LONG = 1_000
_MOST_WORK = 100_000_000
"""Characters times instructions of a pattern: about a second at worst."""


def search(pattern: str, value: str, flags: str = "") -> bool:
    """Tell whether the pattern matches somewhere in the text."""
    _look_at_clock(value)
    return _compiled(pattern, flags, groups=False).search(value) is not None


def searcher(pattern: str) -> Callable[[str], Any]:
    """Return the search for a pattern: None for a text in which it is nowhere."""
    found: Callable[[str], Any] = _compiled(pattern, "", groups=False).search
    return found


def full_match(pattern: str, value: str, flags: str = "") -> bool:
    """Tell whether the pattern matches the whole text."""
    _look_at_clock(value)
    return _compiled(pattern, flags, groups=False).fullmatch(value) is not None


def replace_all(pattern: str, value: str, substitution: str, flags: str, most: int) -> str:
    """Return the text with every match replaced; `$1` and `$name` stand for groups.

    Raises LimitReached before what is put in has more than `most` characters together.
    """
    _look_at_clock(value)
    return str(_compiled(pattern, flags).sub(_template(substitution, most), value))


def refuse_dear(pattern: str, value: str, flags: str = "") -> None:
    """Raise LimitReached for a large pattern and a long text: no clock can end their search.

    At worst RE2 goes through the whole pattern for each character.
    """
    if len(value) > _LONG:
        work = len(value) * _compiled(pattern, flags, groups=False).programsize
        if work > _MOST_WORK:
            raise LimitReached("its pattern and its text together are too large to search")


def _look_at_clock(text: str) -> None:
    """Raise OutOfTime when the time is up before a long text is searched: that is native work."""
    if len(text) > _LONG:
        deadline.check()


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str, *, groups: bool = True) -> Any:
    """Compile in single-line mode, as the specification wants: `.` matches line ends too.

    Without `groups` it only tells whether there is a match, which is several times as fast.
    """
    if len(pattern) > _MAX_PATTERN or not set(flags) <= _FLAGS:
        raise Failure("this regular expression or its flags are not supported")
    re2 = import_module("re2")
    modes = "".join(sorted({*flags, "s"}))
    options = re2.Options()
    options.log_errors = False
    options.never_capture = not groups
    try:
        return re2.compile(f"(?{modes}){_bounded(pattern)}", options=options)
    except re2.error:
        raise Failure(
            "this regular expression is not valid, or needs look-around or back references"
        ) from None


def _bounded(pattern: str) -> str:
    """Widen repeats beyond what RE2 counts (`{0,5000}`) to unlimited ones."""

    def widened(match: re.Match[str]) -> str:
        low, comma, high = match.groups()
        if int(high or low) <= _RE2_REPEAT:
            return match[0]
        return f"{{{min(int(low), _RE2_REPEAT)},}}" if comma else match[0]

    return re.sub(_BIG_REPEAT, widened, pattern)


def _template(substitution: str, most: int) -> Callable[[Any], str]:
    r"""Return a function that fills in groups; `\` and unknown groups stand for themselves."""

    left = most

    def spend(count: int) -> None:
        nonlocal left
        left -= count
        if left < 0:
            raise LimitReached(f"a string has more than {most} characters")

    def fill(match: Any) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            key = int(name) if name.isdigit() else name
            try:
                found: str = match.group(key) or ""
            except (IndexError, KeyError, re.error):
                return reference[0]
            spend(len(found))
            return found

        spend(len(substitution))
        return re.sub(_REFERENCE, group, substitution)

    return fill


_REFERENCE = r"\$(?:(\d+)|\{(\w+)\})"
