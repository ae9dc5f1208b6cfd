"""Run docs/tutorial.ipynb and write what its cells give into it, or check that it is fresh.

https://nbformat.readthedocs.io/en/latest/format_description.html

Usage: python tools/tutorial.py [--check] [FILE]
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).parents[1] / "docs" / "tutorial.ipynb"
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
"""All that is kept of the machine: no version, no time, no path."""
CELL_SECONDS = 120
FOLDERS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")


def fresh(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook as it is when all of its cells have been run, in order, by a new kernel.

    Raises CellExecutionError where a cell does.
    """
    made = nbformat.from_dict(notebook)
    client = NotebookClient(made, kernel_name="python3", timeout=CELL_SECONDS, record_timing=False)
    # Pipes, not ports: nobody else on the machine can talk to the kernel.
    client.create_kernel_manager().transport = "ipc"
    # Nothing is read from the home of whoever runs it, and nothing is left there.
    with TemporaryDirectory() as place, patch.dict(os.environ, dict.fromkeys(FOLDERS, place)):
        client.execute()
    made.metadata = nbformat.from_dict(KERNEL)
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({})
    return made


def main() -> int:
    """Write the notebook, or tell which cells are out of date; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("file", type=Path, nargs="?", default=NOTEBOOK)
    options = parser.parse_args()
    held = nbformat.read(options.file, as_version=4)
    made = fresh(held)
    if not options.check:
        nbformat.write(made, options.file)
        return 0
    stale = [c.id for c, h in zip(made.cells, held.cells, strict=True) if c != h]
    if stale or made != held:
        print(f"Not fresh, run `make tutorial`: {', '.join(stale) or 'the metadata'}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
