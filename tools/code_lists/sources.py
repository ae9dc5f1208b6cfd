"""Where codes are verified: the concepts of DICOM PS3.16 in pydicom, and ValueSets of packages.

https://dicom.nema.org/medical/dicom/current/output/chtml/part16/chapter_8.html
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tools.code_lists.rows import Row

Names = Mapping[str, frozenset[str]]
"""The names that a source gives to each code."""

PYDICOM = "pydicom"
_TAG = re.compile(r"\s*\([a-z/ ]+\)$")


def pydicom_names() -> Names:
    """Return the SNOMED CT concepts of pydicom with their names."""
    # Imported here: the value sets can be written and checked without this development library.
    from pydicom.sr.codedict import codes  # noqa: PLC0415

    concepts = codes.SCT.concepts.values()
    return _gathered((str(concept.value), str(concept.meaning)) for concept in concepts)


def value_set_names(path: Path) -> tuple[str, Names]:
    """Return id and names of a ValueSet of a FHIR package, such as ValueSet-snomed-intl-gps.json.

    ValueError says that the file holds no ValueSet.
    """
    resource = json.loads(path.read_text(encoding="utf-8"))
    if resource.get("resourceType") != "ValueSet":
        raise ValueError(f"{path.name} is no ValueSet.")
    includes = (resource.get("compose") or {}).get("include") or ()
    concepts = (concept for include in includes for concept in include.get("concept") or ())
    listed = ((concept["code"], concept.get("display", "")) for concept in concepts)
    return str(resource["id"]), _gathered(listed)


def unverified(rows: Iterable[Row], sources: Mapping[str, Names]) -> Iterator[str]:
    """Yield a sentence for each row that one of these sources does not know as it is written.

    Only the first source of a row gives the name; the others confirm that the code exists.
    """
    for row in rows:
        for source in set(row.sources) & set(sources):
            names = sources[source].get(row.code)
            if names is None:
                yield f"{row.value_set}: {source} does not know `{row.code}` ({row.label})."
            elif source == row.sources[0] and row.name not in names:
                known = ", ".join(f"`{name}`" for name in sorted(names))
                yield f"{row.value_set}: {source} calls `{row.code}` {known}, not `{row.name}`."


def _gathered(pairs: Iterable[tuple[str, str]]) -> Names:
    """Return the names by code, without semantic tags."""
    found: dict[str, set[str]] = {}
    for code, name in pairs:
        found.setdefault(code, set()).add(_TAG.sub("", name))
    return {code: frozenset(names) for code, names in found.items()}
