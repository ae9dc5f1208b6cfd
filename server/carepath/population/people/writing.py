"""Patients as a file of Bundles, a line each, or as the files of a Bulk Data export.

https://hl7.org/fhir/uv/bulkdata/export.html and https://github.com/ndjson/ndjson-spec
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from carepath.errors import InvalidParameter
from carepath.formats.json import encode
from carepath.resources import Resource, identity

_SERVER = "https://hospital.example/fhir"
_MANIFEST = "manifest.json"


def bundle_lines(patients: Iterable[Sequence[Resource]]) -> Iterator[bytes]:
    """Yield a Bundle for each patient as a line of NDJSON."""
    for given in patients:
        entries = [{"fullUrl": f"{_SERVER}/{identity(r)}", "resource": r} for r in given]
        yield _line({"resourceType": "Bundle", "type": "collection", "entry": entries})


def write_export(patients: Iterable[Sequence[Resource]], folder: Path, moment: str) -> None:
    """Write a file for each type, and the manifest that lists them.

    Raises InvalidParameter when the folder holds something already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InvalidParameter("out", str(folder), "a folder that is empty or does not exist yet")
    count: Counter[str] = Counter()
    with ExitStack() as stack:
        files: dict[str, IO[bytes]] = {}
        for given in patients:
            for resource in given:
                kind = resource["resourceType"]
                if kind not in files:
                    files[kind] = stack.enter_context((folder / f"{kind}.ndjson").open("wb"))
                files[kind].write(_line(resource))
                count[kind] += 1
    (folder / _MANIFEST).write_bytes(encode(_manifest(count, moment), pretty=True))


def _manifest(count: Counter[str], moment: str) -> Resource:
    return {
        "transactionTime": moment,
        "request": f"{_SERVER}/$export",
        "requiresAccessToken": False,
        "output": [
            {"type": kind, "url": f"{kind}.ndjson", "count": number}
            for kind, number in sorted(count.items())
        ],
        "error": [],
    }


def _line(resource: Resource) -> bytes:
    return encode(resource) + b"\n"
