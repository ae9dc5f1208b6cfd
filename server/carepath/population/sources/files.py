"""Which files of the input are read: those of a folder, or those that a manifest names.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from carepath.errors import InvalidParameter, MalformedInput
from carepath.population.sources.lines import SourceFile
from carepath.population.sources.manifest import NAME, Manifest, is_manifest
from carepath.population.told import Told

_ENDINGS = (".ndjson", ".json", ".xml", ".jsonl")
_LARGEST_MANIFEST = 16_000_000


@dataclass(frozen=True, slots=True)
class Input:
    """The files to read, in the order of their names, and what is wrong with the whole."""

    files: tuple[SourceFile, ...]
    told: tuple[Told, ...] = ()

    @property
    def size(self) -> int:
        """Return how many bytes the files hold, packed ones guessed."""
        return sum(
            file.path.stat().st_size * (8 if file.name.endswith(".gz") else 1)
            for file in self.files
        )


def input_of(path: Path) -> Input:
    """Return the files of a file or folder.

    A folder with a manifest is an export: only the files are read that it names, and each of them
    must be there, for nobody would miss what is in it.  Raises InvalidParameter.
    """
    if not path.exists():
        raise InvalidParameter("INPUT", str(path), "a file or a folder that exists")
    if path.is_file():
        return Input((SourceFile(path, path.name),))
    manifests = _manifests(path)
    if len(manifests) > 1 and any(manifest.deleted for _, manifest in manifests):
        raise InvalidParameter(
            "INPUT", str(path), "one export, or several that delete nothing from each other"
        )
    files: list[SourceFile] = []
    told: list[Told] = []
    exported = [folder for folder, _ in manifests]
    for folder, manifest in manifests:
        files += _exported(path, folder, manifest, told)
    named = {file.path for file in files}
    for file in _files(path):
        if file in named or file.name == NAME:
            continue
        name = file.relative_to(path).as_posix()
        if any(file.is_relative_to(folder) for folder in exported):
            sentence = "The file is not named in the manifest of its export and was not read."
            told.append(Told(sentence, name, severity="warning", code="informational"))
        else:
            files.append(SourceFile(file, name))
    if not files:
        expected = "a folder that holds files of NDJSON, JSON or XML"
        raise InvalidParameter("INPUT", str(path), expected)
    return Input(tuple(sorted(files, key=lambda file: file.name)), tuple(told))


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files with resources below a folder; what begins with a dot is passed over."""
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if not hidden and file.name.removesuffix(".gz").endswith(_ENDINGS) and file.is_file():
            yield file


def _manifests(folder: Path) -> list[tuple[Path, Manifest]]:
    found: list[tuple[Path, Manifest]] = []
    for file in sorted(folder.rglob(NAME)):
        data = file.read_bytes() if file.stat().st_size <= _LARGEST_MANIFEST else b""
        if is_manifest(data):
            try:
                found.append((file.parent, Manifest.of(data)))
            except MalformedInput as error:
                name = file.relative_to(folder).as_posix()
                raise MalformedInput(error.reason, name) from error
    return found


def _exported(
    root: Path, folder: Path, manifest: Manifest, told: list[Told]
) -> Iterator[SourceFile]:
    """Yield the files that a manifest names; raises InvalidParameter for one that is missing."""
    for item in manifest.output:
        file = _existing(folder, item.name)
        if file is None:
            expected = f"a folder with all files of the manifest; `{item.name}` is not there"
            raise InvalidParameter("INPUT", str(folder), expected)
        name = file.relative_to(root).as_posix()
        yield SourceFile(file, name, manifest.base, item.count)
    name = (folder / NAME).relative_to(root).as_posix()
    if manifest.error:
        sentence = "The export itself reports errors: it may not hold everything."
        told.append(Told(sentence, name, code="incomplete", hides=True))
    if manifest.is_partial:
        sentence = "The export holds only what has changed since a moment (`_since`)."
        told.append(Told(sentence, name, code="incomplete", hides=True))


def _existing(folder: Path, name: str) -> Path | None:
    """Return a file of a folder, packed or not; a name cannot lead out of the folder."""
    for candidate in (name, f"{name}.gz", f"{name}.ndjson", f"{name}.ndjson.gz"):
        if candidate not in ("", ".", "..") and (folder / candidate).is_file():
            return folder / candidate
    return None


def fingerprint(files: Sequence[SourceFile]) -> list[list[object]]:
    """Return what tells that the input is the same: names, sizes, times."""
    found: list[list[object]] = []
    for file in files:
        stat = file.path.stat()
        found.append([file.name, file.base, stat.st_size, stat.st_mtime_ns])
    return found
