"""Run the official Java validator over all that the project ships and answers.

`python tools/validate_java/run.py [--build-only]` from anywhere; it needs Java 17 and Maven, and
reads only Maven Central.  The last line is `N resources, M errors`; with errors it exits with 1.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from answers import answers  # noqa: E402  the folder is a Maven project, not a package

CONTENT = ("pathways", "fhir_profiles")
# The first definition of a URL wins: HL7's extensions pack where it is there, then our own minimal
# definitions of what R4 core does not have or restricts too much.
DEFINITIONS = (
    ROOT / "../shared/suites/extensions",
    HERE / "extensions",
    ROOT / "fhir_profiles/structure-definitions",
    ROOT / "pathways",
)


def main() -> int:
    """Build the checker, write what is to be checked to a folder, run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-only", action="store_true", help="compile, check nothing")
    parser.add_argument("folder", nargs="*", type=Path, help="check these folders instead")
    arguments = parser.parse_args()
    build()
    if arguments.build_only:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = files_of(arguments.folder) if arguments.folder else everything()
        listing = write(found, Path(folder))
        places = [str(place) for place in DEFINITIONS if place.exists()]
        command = ["java", "-cp", f"{HERE}/target/classes:{HERE}/target/lib/*", "-Xmx2g"]
        return subprocess.run(
            [*command, "carepath.Validate", str(listing), *places], check=False
        ).returncode


def build() -> None:
    """Compile the Java class and fetch what it needs, once."""
    maven = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml")]
    goals = ["compile", "dependency:copy-dependencies", "-DoutputDirectory=target/lib"]
    source = HERE / "src/main/java/carepath/Validate.java"
    made = HERE / "target/classes/carepath/Validate.class"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        subprocess.run([*maven, *goals], check=True)


def everything() -> Iterator[tuple[str, str]]:
    """Yield all content, the golden answers and what the service answers now."""
    yield from files_of([ROOT / name for name in CONTENT])
    yield from files_of([ROOT / "tests/golden"])
    yield from answers(ROOT)


def files_of(folders: list[Path]) -> Iterator[tuple[str, str]]:
    """Yield the resources in the JSON files of folders, by file name."""
    for folder in folders:
        for path in sorted(folder.rglob("*.json")):
            text = path.read_text(encoding="utf-8")
            content = json.loads(text)
            if isinstance(content, dict) and "resourceType" in content:
                yield str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path), text


def write(resources: Iterator[tuple[str, str]], folder: Path) -> Path:
    """Write each resource to a file of its own, and the list of them; return the list."""
    lines = []
    for number, (name, resource) in enumerate(resources):
        path = folder / f"{number}.json"
        path.write_text(resource, encoding="utf-8")
        lines.append(f"{path}\t{name}\n")
    listing = folder / "resources.txt"
    listing.write_text("".join(lines), encoding="utf-8")
    return listing


if __name__ == "__main__":
    sys.exit(main())
