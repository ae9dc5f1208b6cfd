"""Content negotiation for FHIR: which format the answer has, which format a body has.

https://hl7.org/fhir/R4/http.html#mime-type

Written by hand because the usual best-match functions answer nothing for
`application/fhir+json; fhirVersion=4.0` or for a charset parameter.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from carepath.errors import InputError

Format = Literal["json", "xml"]

CONTENT_TYPES: Mapping[Format, str] = {
    "json": "application/fhir+json; charset=utf-8",
    "xml": "application/fhir+xml; charset=utf-8",
}
ACCEPTED = "application/fhir+json or application/fhir+xml"
FHIR_VERSIONS = ("4.0", "4.0.1")

_FORMATS: Mapping[str, Format] = {
    "application/fhir+json": "json",
    "application/json": "json",
    "text/json": "json",
    "application/json+fhir": "json",
    "application/fhir+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/xml+fhir": "xml",
}
_QUALITY = re.compile(r"[0-9]{1,3}\.?[0-9]{0,6}|\.[0-9]{1,6}")
# Separators in quotes separate nothing.
_MEMBERS = re.compile(r'(?:"[^"]*"|[^,])+')
_PARTS = re.compile(r'(?:"[^"]*"|[^;])+')
_SHORT_NAMES: Mapping[str, Format] = {"json": "json", "xml": "xml"}
_RANGES: Mapping[str, tuple[Format, ...]] = {
    "*": ("json", "xml"),
    "*/*": ("json", "xml"),
    "application/*": ("json", "xml"),
    "text/*": ("json", "xml"),
}


class NotAcceptable(InputError):
    """The client accepts no format that this service writes."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted

    def __str__(self) -> str:
        return f"`{self.wanted[:120]}` cannot be met; this service writes {ACCEPTED} (FHIR 4.0)."


class UnsupportedMediaType(InputError):
    """The body is in a format, encoding or FHIR version that this service does not read."""

    def __init__(self, given: str, expected: str = ACCEPTED) -> None:
        super().__init__(given, expected)
        self.given = given
        self.expected = expected

    def __str__(self) -> str:
        if not self.given:
            return f"The body has no Content-Type; send {self.expected}."
        return f"`{self.given[:120]}` cannot be read; send {self.expected}."


class MediaRange(NamedTuple):
    """One member of Accept, or a Content-Type: its lower-case name and parameters."""

    name: str
    parameters: Mapping[str, str]

    @property
    def is_our_version(self) -> bool:
        """Tell whether a `fhirVersion` parameter is absent or names R4."""
        return self.parameters.get("fhirversion", "4.0") in FHIR_VERSIONS

    @property
    def quality(self) -> float:
        """Return the q-value, 1 when absent or not a number from 0 to 1."""
        text = self.parameters.get("q", "1")
        return min(float(text), 1.0) if _QUALITY.fullmatch(text) else 1.0


def media_range(text: str) -> MediaRange:
    """Parse `type/subtype; name=value`; names fold to lower case, quotes are removed."""
    name, *rest = _PARTS.findall(text) or [""]
    pairs = (part.partition("=") for part in rest)
    return MediaRange(
        name.strip().lower(),
        {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs},
    )


@lru_cache(maxsize=512)
def answer_format(
    accept: str | None, format_parameter: str | None, body_type: str | None
) -> Format:
    """Choose the format of the answer; raise NotAcceptable when none will do.

    `_format` overrides Accept.  Between equal q-values a format that is named wins over one that
    only a range allows, then JSON; JSON is for browsers, too.  When anything goes, the answer
    mirrors the format of the body.
    """
    if format_parameter:
        return _named_format(format_parameter)
    if accept is None or not accept.strip():
        return _mirrored(body_type)
    ranges = [media_range(member) for member in _MEMBERS.findall(accept) if member.strip()]
    names = {member.name for member in ranges if member.quality > 0}
    if "text/html" in names and "*/*" in names:
        return "json"
    best = _qualities(ranges)
    top = max(best.values(), default=0.0)
    if top <= 0:
        raise NotAcceptable(accept)
    winners = [fmt for fmt, quality in best.items() if quality == top]
    named = [fmt for fmt in winners if fmt in {_FORMATS.get(name) for name in names}]
    if len(winners) > 1 and not named:
        return _mirrored(body_type)
    return "json" if "json" in (named or winners) else (named or winners)[0]


def body_format(content_type: str | None, *, text_plain: bool = False) -> Format:
    """Return the format of a body by its Content-Type; raise UnsupportedMediaType."""
    member = media_range(content_type or "")
    if member.name == "text/plain" and text_plain:
        return "json"
    found = _FORMATS.get(member.name)
    if found is None:
        raise UnsupportedMediaType(content_type or "")
    if not member.is_our_version:
        raise UnsupportedMediaType(content_type or "", "FHIR R4 (fhirVersion=4.0)")
    if member.parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(content_type or "", "UTF-8")
    return found


def _named_format(text: str) -> Format:
    """Read `_format`; a `+` that was not escaped arrives as a space."""
    member = media_range(text.strip().replace(" ", "+") if ";" not in text else text)
    name = member.name.replace(" ", "+")
    found = _SHORT_NAMES.get(name) or _FORMATS.get(name)
    if found is None or not member.is_our_version:
        raise NotAcceptable(f"_format={text}")
    return found


def _mirrored(body_type: str | None) -> Format:
    """Return the format of the body when it is a FHIR one, else JSON."""
    return _FORMATS.get(media_range(body_type or "").name, "json")


def _qualities(ranges: list[MediaRange]) -> dict[Format, float]:
    """Return the quality of each format: a name outweighs a range, whatever the order."""
    best: dict[Format, float] = {}
    named = {fmt for member in ranges for fmt in _formats_named(member)}
    for member in sorted(ranges, key=lambda member: "*" not in member.name):
        for fmt in _formats_of(member):
            if "*" in member.name and fmt in named:
                continue
            best[fmt] = max(best.get(fmt, 0.0), member.quality)
    return best


def _formats_named(member: MediaRange) -> Iterator[Format]:
    if member.is_our_version and member.name in _FORMATS:
        yield _FORMATS[member.name]


def _formats_of(member: MediaRange) -> Iterator[Format]:
    """Yield the formats that a member of Accept allows; another FHIR version allows none."""
    if member.is_our_version:
        yield from _RANGES.get(member.name, ())
        yield from _formats_named(member)
