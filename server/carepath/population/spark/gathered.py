"""What the driver makes of the rows of all tasks: one account of the input, one file to share.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from carepath.formats.json import decode
from carepath.population.distribute import MOST_TOLD, Distributed, rest_told
from carepath.population.shared import Shared
from carepath.population.told import Told

Row = Mapping[str, Any]


def result_of(
    rows: Iterable[Row], before: Sequence[Told]
) -> tuple[Distributed, list[tuple[str, str]]]:
    """Return what one pass over all files would tell, and which records are replaced by which.

    `rows` are those about files; `before` is told first.
    """
    total, told = Distributed(), list(before)
    replaced: list[tuple[str, str]] = []
    places = len(told)
    total.hidden = sum(one.hides for one in told)
    for row in sorted(rows, key=lambda one: (one["number"], one["file"])):
        account = decode(bytes(row["data"]))
        places += account["places"]
        replaced += [(old, new) for old, new in account["replaced"]]
        found = account["distributed"]
        for name in ("patients", "lines", "shared", "hidden"):
            setattr(total, name, getattr(total, name) + found[name])
        total.types.update(found["types"])
        total.unused.update(found["unused"])
        told += [Told(**one) for one in found["told"]]
    total.told = told[:MOST_TOLD]
    total.told += rest_told(places, len(total.told))
    return total, replaced


def packed(rows: Iterable[Row]) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """Return the file of shared lines, and the files of the input that they are of.

    `rows` are those of shared lines in the order of the input.
    """
    files: dict[tuple[str, str], int] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shared.sqlite"
        with Shared(path) as shared:
            for row in rows:
                file = files.setdefault((row["file"], row["base"]), len(files))
                shared.add(row["key"], row["base"], file, row["line"], bytes(row["data"]))
        return path.read_bytes(), tuple(files)
