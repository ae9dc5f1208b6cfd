"""Parts of the pages in Markdown that are made of the content."""

from collections.abc import Iterable


def table_row(cells: Iterable[str]) -> str:
    """Return a row of a table; a bar in a cell is escaped."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
