"""Dates in other writings than that of FHIR, read by a template: `dd-MM-yyyy`.

https://build.fhir.org/ig/HL7/FHIRPath/#format-codes

Names of months, and of time zones, are not read: they are different in each language.
"""

import re
from functools import lru_cache

from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.temporal import Date, DateTime, InvalidMoment

_CODES = {
    "yyyy": ("year", r"\d{4}"),
    "yy": ("short", r"\d{2}"),
    "MM": ("month", r"\d{2}"),
    "M": ("month", r"\d{1,2}"),
    "dd": ("day", r"\d{2}"),
    "d": ("day", r"\d{1,2}"),
    "HH": ("hour", r"\d{2}"),
    "H": ("hour", r"\d{1,2}"),
    "hh": ("half", r"\d{2}"),
    "h": ("half", r"\d{1,2}"),
    "mm": ("minute", r"\d{2}"),
    "m": ("minute", r"\d{1,2}"),
    "ss": ("second", r"\d{2}"),
    "s": ("second", r"\d{1,2}"),
    "a": ("noon", r"[AaPp][Mm]?"),
    "Z": ("zone", r"Z|[+-]\d{2}:?\d{2}"),
}
"""What each code of a template stands for, and the texts that it takes."""
_CODE = re.compile(r"yyyy|yy|MMMM?|MM?|dd?|HH?|hh?|mm?|ss?|S+|a|z|Z|.", re.DOTALL)
_NOT_READ = frozenset({"MMM", "MMMM", "z"})
_LONGEST = 100
_CENTURY_TURNS = 50
"""Two digits below stand for 20xx, the others for 19xx."""


def date_in(text: str, template: str) -> Date | None:
    """Return the date that a text has in the writing of a template; raises Failure."""
    parts = _parts(text, template)
    if parts is None:
        return None
    try:
        return Date.parse(_date_text(parts))
    except InvalidMoment:
        return None


def date_time_in(text: str, template: str) -> DateTime | None:
    """Return the moment that a text has in the writing of a template; raises Failure."""
    parts = _parts(text, template)
    if parts is None:
        return None
    clock = _clock_text(parts)
    try:
        return DateTime.parse(f"{_date_text(parts)}T{clock}" if clock else _date_text(parts))
    except InvalidMoment:
        return None


def _parts(text: str, template: str) -> dict[str, str] | None:
    match = _pattern(template).fullmatch(text) if len(text) <= _LONGEST else None
    return None if match is None else match.groupdict()


@lru_cache(maxsize=128)
def _pattern(template: str) -> re.Pattern[str]:
    if len(template) > _LONGEST:
        raise Failure("this template of a date is too long")
    pattern, named = "", set[str]()
    for code in _CODE.findall(template):
        if code in _NOT_READ:
            raise Failure(f"`{code}` in a template of dates is not read: names differ by language")
        name, taken = (
            ("part", rf"\d{{{len(code)}}}") if code[0] == "S" else _CODES.get(code, ("", ""))
        )
        if name in named:
            raise Failure(f"`{template}` asks twice for one part of a date")
        named |= {name} - {""}
        pattern += f"(?P<{name}>{taken})" if name else re.escape(code)
    return re.compile(pattern, re.ASCII)


def _date_text(parts: dict[str, str]) -> str:
    """Return the date as FHIR writes it, down to the first part that is not known."""
    year = parts.get("year")
    if year is None and "short" in parts:
        year = f"{'20' if int(parts['short']) < _CENTURY_TURNS else '19'}{parts['short']}"
    known = [year, *(_two(parts.get(name)) for name in ("month", "day"))]
    return _joined(known, "-")


def _clock_text(parts: dict[str, str]) -> str:
    known = [_hour(parts), *(_two(parts.get(name)) for name in ("minute", "second"))]
    clock = _joined(known, ":")
    part = parts.get("part")
    zone = parts.get("zone") or ""
    if len(zone) == len("+0100"):
        zone = f"{zone[:3]}:{zone[3:]}"
    return clock + (f".{part}" if part and None not in known else "") + (zone if clock else "")


def _hour(parts: dict[str, str]) -> str | None:
    half, noon = parts.get("half"), parts.get("noon")
    if half is None:
        return _two(parts.get("hour"))
    if not 1 <= int(half) <= 12:  # noqa: PLR2004
        return "99"  # no hour there is
    if noon is None:
        return _two(half)
    return f"{int(half) % 12 + (12 if noon[0] in 'Pp' else 0):02}"


def _two(digits: str | None) -> str | None:
    return None if digits is None else digits.rjust(2, "0")


def _joined(known: list[str | None], mark: str) -> str:
    """Return the parts up to the first that is missing; a gap makes them no text of a date."""
    first = known.index(None) if None in known else len(known)
    rest = "?" if any(known[first:]) else ""
    return mark.join(part for part in known[:first] if part is not None) + rest
