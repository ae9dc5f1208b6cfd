"""The text of a search value: what separates its parts, and how that is escaped.

https://hl7.org/fhir/R4/search.html#escaping
"""

import re
import unicodedata

_ESCAPED = re.compile(r"\\([\\,|$])")
_SEPARATORS = {mark: re.compile(r"\\.|" + re.escape(mark), re.DOTALL) for mark in ",|$"}


def split(text: str, separator: str) -> list[str]:
    """Return the parts between separators that no backslash precedes, still escaped."""
    parts, start = [], 0
    for found in _SEPARATORS[separator].finditer(text):
        if found[0] == separator:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def plain(text: str) -> str:
    """Return a part as it is meant: `\\,` `\\|` `\\$` `\\\\` stand for the character alone."""
    return _ESCAPED.sub(r"\1", text)


def fold(text: str) -> str:
    """Return text without case and accents, as string searches compare it."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
