"""Patients from files: Bundles, lines of NDJSON, case files, or a folder of all these.

https://hl7.org/fhir/R4/bundle.html and https://github.com/ndjson/ndjson-spec
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from carepath.authoring.cases import Case, read_case
from carepath.authoring.compare import Patient, Unreadable
from carepath.command.reading import read_data
from carepath.errors import CarepathError, InvalidResource
from carepath.formats.files import ENDINGS, YAML, decode_file
from carepath.formats.json import decode, encode
from carepath.record import Record
from carepath.validation import record_of

_ENDINGS = (*ENDINGS, ".ndjson", ".xml")


@dataclass(frozen=True)
class Terms:
    """What holds for each patient whose file says nothing else; a case has its own moment."""

    now: datetime
    pathway: str | None = None
    parameters: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def patients_in(path: Path, terms: Terms) -> Iterator[Patient | Unreadable]:
    """Yield the patients of a file or a folder, in the order of names and lines.

    A file whose name begins with a dot, or has another ending than those of JSON, YAML, NDJSON and
    XML, holds no patients.
    """
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    base = path if path.is_dir() else path.parent
    for file in files:
        name = file.relative_to(base)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_dir() and (hidden or file.suffix not in _ENDINGS or not file.is_file()):
            continue
        try:
            yield from _of_file(file, str(name), terms)
        except OSError as error:
            yield Unreadable(str(name), f"The file cannot be read ({error.strerror}).")


def _of_file(file: Path, name: str, terms: Terms) -> Iterator[Patient | Unreadable]:
    if file.suffix != ".ndjson":
        yield from _of_data(file.read_bytes(), name, terms, file)
        return
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield from _of_data(line.strip(), f"{name}:{number}", terms)


def _of_data(
    data: bytes, name: str, terms: Terms, file: Path | None = None
) -> Iterator[Patient | Unreadable]:
    """Yield the patients of a resource, or the one of a case."""
    try:
        if file is not None and file.suffix in YAML:
            data = encode(decode_file(file.name, data))
        if file is not None and _is_case(data):
            yield _of_case(read_case(file), name, terms)
            return
        found = read_data(data)
        record = record_of(found)
        # The only patient needs no name, and may have none.
        alone = record.subject is not None or not record.subjects
        for subject in [None] if alone else list(dict.fromkeys(record.subjects)):
            view = record if subject is None else record.for_subject(subject)
            refusal = found.refusal_of(view.subject)
            called = name if subject is None else f"{name} {subject}"
            if refusal is not None:
                yield Unreadable(called, refusal.diagnostics)
            else:
                yield Patient(called, view, terms.now, terms.pathway, subject, terms.parameters)
    except CarepathError as error:
        yield Unreadable(name, _sentence(error))


def _is_case(data: bytes) -> bool:
    """Tell whether a JSON object is no resource; what is no JSON is told of by who reads it."""
    if not data.lstrip().startswith(b"{"):
        return False
    content = decode(data)
    return isinstance(content, dict) and "resourceType" not in content


def _of_case(case: Case, name: str, terms: Terms) -> Patient:
    own = {n: v if isinstance(v, list) else [v] for n, v in case.parameters.items()}
    return Patient(
        name,
        Record.of(case.given),
        case.now,
        terms.pathway or case.pathway,
        parameters={**own, **terms.parameters},
    )


def _sentence(error: CarepathError) -> str:
    """Return an error in one line: the first fault of a resource, and how many more there are."""
    if not isinstance(error, InvalidResource):
        return str(error)
    more = f" (and {len(error.issues) - 1} more)" if error.issues[1:] else ""
    return f"{error.issues[0].diagnostics}{more}"
