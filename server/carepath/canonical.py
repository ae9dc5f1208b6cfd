"""Canonical URLs with an optional version and fragment: `url|version#fragment`.

https://hl7.org/fhir/R4/references.html#canonical
"""

from typing import NamedTuple


class Canonical(NamedTuple):
    """A parsed canonical; `version` and `fragment` are empty when not given."""

    url: str
    version: str = ""
    fragment: str = ""

    @classmethod
    def parse(cls, text: str) -> "Canonical":
        """Split `url|version#fragment`; a bare `#id` gives an empty url and a fragment."""
        rest, _, fragment = text.partition("#")
        url, _, version = rest.partition("|")
        return cls(url, version, fragment)

    @property
    def is_contained(self) -> bool:
        """Tell whether this names a contained resource (`#id`)."""
        return not self.url and bool(self.fragment)

    def __str__(self) -> str:
        version = f"|{self.version}" if self.version else ""
        fragment = f"#{self.fragment}" if self.fragment else ""
        return f"{self.url}{version}{fragment}"
