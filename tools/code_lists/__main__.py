"""Write the value sets from the verified rows: `python -m tools.code_lists` from the root.

Every row is first held against its sources: pydicom, which is installed, and the ValueSets of
FHIR packages that `--package` names.  `--check` writes nothing and tells what would change.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.code_lists.rows import read_headings, read_rows
from tools.code_lists.sources import PYDICOM, pydicom_names, unverified, value_set_names
from tools.code_lists.value_sets import Resource, updated

VALUE_SETS = Path(__file__).parents[2] / "pathways/shared/value-sets"


def main() -> int:
    """Verify, then write or check; return 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    sources = {PYDICOM: pydicom_names(), **dict(map(value_set_names, options.package))}
    problems = list(unverified(read_rows(), sources))
    changes = {} if problems else outdated(VALUE_SETS)
    if not options.check:
        write(changes)
    told = problems or [f"{identifier} {_verb(options.check)}" for identifier in changes]
    print("\n".join(told) or "All value sets are up to date.")
    return 1 if problems or (options.check and changes) else 0


def outdated(folder: Path) -> dict[str, Resource]:
    """Return the sets of a folder that differ from what the rows say, as they have to be."""
    present = read(folder)
    wanted = updated(present, read_rows(), read_headings())
    return {key: resource for key, resource in wanted.items() if resource != present.get(key)}


def read(folder: Path) -> dict[str, Resource]:
    """Return the value sets of a folder by id."""
    files = sorted(folder.glob("*.json"))
    resources = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    return {resource["id"]: resource for resource in resources}


def write(resources: Mapping[str, Resource]) -> None:
    """Write value sets, a file each."""
    for identifier, resource in resources.items():
        text = json.dumps(resource, ensure_ascii=False, indent=2) + "\n"
        (VALUE_SETS / f"{identifier}.json").write_text(text, encoding="utf-8")


def _verb(check: bool) -> str:
    return "is not up to date" if check else "written"


if __name__ == "__main__":
    sys.exit(main())
