"""Fetch the official suites: FHIRPath for R4 and R5, cases for validators, the examples of R4.

Usage: python tools/fetch_suites.py [FOLDER]      without a folder, into `.suites`

Both archives come by Maven as it is set up on this machine, in the versions and with the checksums
below.  FHIRPath: FHIR/fhir-test-cases (Apache-2.0).  Examples: HL7 FHIR R4 4.0.1 (CC0), as the
archive `fhir-examples` carries them unchanged.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"

Files = Iterator[tuple[str, bytes]]


class Archive(NamedTuple):
    """An archive of Maven, pinned."""

    artifact: str
    sha256: str


TEST_CASES = Archive(
    "org.hl7.fhir.testcases:fhir-test-cases:1.7.69",
    "827a559099ae3297c3f96ab5749b419a24600d74b6a09e23620881a9c17df741",
)
EXAMPLES = Archive(
    "com.ibm.fhir:fhir-examples:4.11.1",
    "20d934b5b6e35652490b6801ee76231a916733ecf125cbb1ce72a910fe7639c9",
)
# The folder of the examples has the definitions and generated forms of R4, too.
DEFINITIONS = frozenset(
    {
        *("CodeSystem", "CompartmentDefinition", "ConceptMap", "ImplementationGuide"),
        *("NamingSystem", "OperationDefinition", "SearchParameter", "StructureDefinition"),
        "ValueSet",
    }
)
COLLECTIONS = frozenset({"conceptmaps", "patient-examples-cypress-template"})
GENERATED_FORM = "qs1"
LARGEST = 200_000


class Unfit(Exception):
    """Why the suites cannot be fetched, as a sentence."""


def main(arguments: list[str]) -> int:
    """Write each suite that is not there yet; return an exit code."""
    folder = Path(arguments[0]) if arguments else ROOT / ".suites"
    try:
        for archive, suites in SUITES.items():
            missing = [name for name in suites if not is_there(folder / name, archive)]
            if missing:
                with tempfile.TemporaryDirectory() as place:
                    content = fetched(archive, Path(place))
                    for name in missing:
                        count = write(folder / name, suites[name](content), archive)
                        print(f"{name}: {count} files")
    except Unfit as error:
        print(error)
        return 1
    print(f"The suites are in {folder}.")
    return 0


def is_there(folder: Path, archive: Archive) -> bool:
    """Tell whether a suite of this very archive was written whole."""
    mark = folder / "SOURCE"
    return mark.exists() and mark.read_text("utf-8") == _source(archive)


def fetched(archive: Archive, place: Path) -> zipfile.ZipFile:
    """Return an archive as Maven brings it, checked; raises Unfit when it cannot be had."""
    if shutil.which("mvn") is None:
        raise Unfit("Maven fetches the suites and is not here.  On Debian: apt-get install maven")
    goal = [f"{PLUGIN}:copy", f"-Dartifact={archive.artifact}", f"-DoutputDirectory={place}"]
    done = subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", *goal], check=False, cwd=place)
    found = list(place.glob("*.jar"))
    if done.returncode or len(found) != 1:
        raise Unfit(f"Maven does not bring {archive.artifact}.")
    check(archive, found[0].read_bytes())
    return zipfile.ZipFile(found[0])


def check(archive: Archive, content: bytes) -> None:
    """Raise Unfit unless the content is what was pinned."""
    if hashlib.sha256(content).hexdigest() != archive.sha256:
        raise Unfit(f"{archive.artifact} is not the file that was pinned: its checksum differs.")


def write(folder: Path, files: Files, archive: Archive) -> int:
    """Write a suite in place of what is there, its source last; return how many files it has."""
    shutil.rmtree(folder, ignore_errors=True)
    count = 0
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        count += 1
    (folder / "SOURCE").write_text(_source(archive), "utf-8")
    return count


def _source(archive: Archive) -> str:
    return f"{archive.artifact}\nsha256 {archive.sha256}\n"


def fhirpath(content: zipfile.ZipFile, version: str) -> Files:
    """Yield the FHIRPath suite of a version of FHIR, and in `input` each resource that it names."""
    root = f"org/hl7/fhir/testcases/{version}"
    suite = content.read(f"{root}/fhirpath/tests-fhir-{version}.xml")
    yield f"tests-fhir-{version}.xml", suite
    there = set(content.namelist())
    for name in sorted(set(re.findall(r'inputfile="([^"]+)"', suite.decode()))):
        if (path := f"{root}/{name}") not in there:
            raise Unfit(f"The archive lacks {name}, which the suite of {version} names.")
        yield f"input/{name}", content.read(path)


_VALIDATOR = "org/hl7/fhir/testcases/validator"
# What is no R4 resource as JSON or XML, or asks for more than to validate one.
_OTHER_MODULES = frozenset(
    {"cda", "cdshooks", "dsig", "fmt", "json5", "logical", "matchetype", "shc"}
)
# What makes a case need definitions from elsewhere.
_NEEDS = frozenset(
    {
        *("fetch-canonicals", "logical", "package-map", "packages", "profile", "profiles"),
        *("supporting", "supporting5"),
    }
)


def validator(content: zipfile.ZipFile) -> Files:
    """Yield the R4 cases for validators, and in `expected.json` what the reference says of them.

    By file: whether it has an error, and whether it needs definitions that are not R4's own.
    """
    cases = json.loads(content.read(f"{_VALIDATOR}/manifest.json"))["test-cases"]
    there = set(content.namelist())
    expected: dict[str, dict[str, object]] = {}
    for case in cases:
        outcome = f"{_VALIDATOR}/outcomes/{case.get('java')}"
        path = f"{_VALIDATOR}/{case['file']}"
        if _is_of_r4(case) and {path, outcome} <= there:
            issues = json.loads(content.read(outcome)).get("issue", [])
            is_bad = any(issue["severity"] in ("error", "fatal") for issue in issues)
            told = {"file": case["file"], "bad": is_bad, "plain": not _NEEDS & case.keys()}
            expected[case["name"]] = told
    for name in sorted({str(told["file"]) for told in expected.values()}):
        yield f"files/{name}", content.read(f"{_VALIDATOR}/{name}")
    yield "expected.json", json.dumps(expected, indent=1).encode()


def _is_of_r4(case: dict[str, object]) -> bool:
    is_used = case.get("use-test", True) is not False and isinstance(case.get("java"), str)
    is_r4 = case.get("version") in ("4.0", "4.0.1")
    return is_used and is_r4 and case.get("module") not in _OTHER_MODULES


def examples(content: zipfile.ZipFile) -> Files:
    """Yield the examples of R4: resources that are no definitions, collections or huge."""
    for entry in sorted(content.infolist(), key=lambda entry: entry.filename):
        path = Path(entry.filename)
        if str(path.parent) == "json/spec" and path.suffix == ".json" and _is_small(entry):
            text = content.read(entry)
            if is_example(json.loads(text)):
                yield path.name, text


def _is_small(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size <= LARGEST and Path(entry.filename).stem not in COLLECTIONS


def is_example(resource: dict[str, object]) -> bool:
    """Tell whether this is a resource, and neither a definition nor a generated form."""
    kind = resource.get("resourceType")
    return kind is not None and kind not in DEFINITIONS and resource.get("id") != GENERATED_FORM


SUITES: Mapping[Archive, Mapping[str, Callable[[zipfile.ZipFile], Files]]] = {
    TEST_CASES: {
        "fhirpath-r4": lambda content: fhirpath(content, "r4"),
        "fhirpath-r5": lambda content: fhirpath(content, "r5"),
        "validator-r4": validator,
    },
    EXAMPLES: {"fhir-r4-examples": examples},
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
