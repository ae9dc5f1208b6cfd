"""Reading the generated tables of this package, each once and only when it is wanted."""

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


@cache
def read_table(name: str) -> dict[str, Any]:
    """Return a generated table by its file name; the caller must not change it."""
    table: dict[str, Any] = msgspec.json.decode(files("carepath.r4").joinpath(name).read_bytes())
    return table
