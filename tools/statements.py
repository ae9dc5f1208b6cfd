"""Write docs/statements.md, or print it with the lines of the sources beside it.

The texts of the sources are not shipped. A reviewer who has them gives their folder: one text file
for each source, in the order of their names S0, S1, S2. That form is printed and never written.
"""

import argparse
from pathlib import Path

from carepath.authoring.statements_page import statements_page
from carepath.knowledge import Knowledge

PAGE = Path(__file__).parents[1] / "docs" / "statements.md"


def main() -> None:
    """Write the page, or print it beside the sources."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, help="folder with the text of each source")
    folder = parser.parse_args().sources
    if folder is None:
        PAGE.write_text(statements_page(Knowledge.shipped()), "utf-8")
        return
    files = sorted(folder.glob("*.txt"))
    lines = {f"S{number}": file.read_text("utf-8").split("\n") for number, file in enumerate(files)}
    print(statements_page(Knowledge.shipped(), lines))


if __name__ == "__main__":
    main()
