"""The rows of `rows/*.tsv`: one verified code in one value set, with where it was verified.

A row has the name of the set without `mst-` and `-vs`, a short name of the code system, the code,
our own label, the sources (names of docs/terminology.md) and, for SNOMED CT, the name that the
first source gives: the meaning that was looked up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "rows"

SYSTEMS = {
    "sct": "http://snomed.info/sct",
    "icd-o-3": "http://terminology.hl7.org/CodeSystem/icd-o-3",
    "icd-10": "http://hl7.org/fhir/sid/icd-10",
    "icd-10-cm": "http://hl7.org/fhir/sid/icd-10-cm",
}
GLOBAL_PATIENT_SET = "snomed-intl-gps"


@dataclass(frozen=True, slots=True)
class Row:
    """A code in a value set."""

    value_set: str
    system: str
    code: str
    label: str
    sources: tuple[str, ...]
    name: str

    @property
    def needs_licence(self) -> bool:
        """Tell whether the code is of SNOMED CT and lies outside the Global Patient Set."""
        return self.system == SYSTEMS["sct"] and GLOBAL_PATIENT_SET not in self.sources


@dataclass(frozen=True, slots=True)
class Heading:
    """What a value set of our own says of itself, and the sets that it joins."""

    title: str
    description: str
    joins: tuple[str, ...]


def read_rows(folder: Path = FOLDER) -> list[Row]:
    """Return all rows; ValueError names the file and line that cannot be read."""
    files = sorted(path for path in folder.glob("*.tsv") if path.name != "headings.tsv")
    return [_row(cells, place) for path in files for cells, place in _lines(path, columns=6)]


def read_headings(folder: Path = FOLDER) -> dict[str, Heading]:
    """Return the headings by name of the set; ValueError names what cannot be read."""
    lines = _lines(folder / "headings.tsv", columns=4)
    return {
        name: Heading(title, description, tuple(joins.split()))
        for (name, title, description, joins), _ in lines
    }


def _lines(path: Path, columns: int) -> Iterable[tuple[list[str], str]]:
    """Yield the cells and the place of each line below the head."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != columns:
            raise ValueError(f"{path.name}, line {number}: expected {columns} cells.")
        yield cells, f"{path.name}, line {number}"


def _row(cells: list[str], place: str) -> Row:
    """Return the row of some cells."""
    value_set, system, code, label, sources, name = cells
    if system not in SYSTEMS:
        raise ValueError(f"{place}: `{system}` is no code system of these lists.")
    if not sources:
        raise ValueError(f"{place}: `{code}` names no source, nobody has verified it.")
    return Row(value_set, SYSTEMS[system], code, label, tuple(sources.split()), name)
