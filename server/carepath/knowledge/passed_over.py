"""Files beside the definitions of a folder that nobody reads, though somebody may think so.

https://hl7.org/fhir/R4/formats.html

Definitions are read from JSON and YAML.  A file in another form in which definitions or cases are
written is never passed over without a word.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from carepath.formats.files import ENDINGS

FORMS: Mapping[str, str] = {
    ".xml": "XML",
    ".fsh": "FHIR Shorthand",
    ".cql": "CQL",
    ".ndjson": "NDJSON",
    ".jsonc": "JSON with comments",
    ".json5": "JSON5",
    ".ttl": "Turtle",
    ".json": "JSON, with a name in capitals",
    ".yaml": "YAML, with a name in capitals",
    ".yml": "YAML, with a name in capitals",
}


_SIGNS = (b"resourceType", b"http://hl7.org/fhir", b"InstanceOf", b"library ")
_LOOKED_AT = 100_000


class PassedOver(NamedTuple):
    """A file that is not read: its name in the folder, what to do, and whether it holds FHIR."""

    name: str
    sentence: str
    holds_fhir: bool


def passed_over(folder: Path) -> Iterator[PassedOver]:
    """Yield the files of a folder that are not read, though definitions may stand in them.

    What has a name that begins with a dot, or stands in a folder that has, is nobody's to read.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        form = FORMS.get(path.suffix.lower())
        if form is None or path.suffix in ENDINGS or any(p.startswith(".") for p in name.parts):
            continue
        ending = path.suffix.lower()
        todo = f"let the name end in `{ending}`" if ending in ENDINGS else "write it as one of them"
        told = (
            f"The file is not read: it is {form}. JSON and YAML are; {todo}, or move it elsewhere."
        )
        yield PassedOver(str(name), told, _holds_fhir(path))


def _holds_fhir(path: Path) -> bool:
    """Tell whether a file looks as if somebody wrote a definition in it."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
    except OSError:
        return False
    return any(sign in start for sign in _SIGNS)
