"""The examples that are shipped: patients in the shapes that senders really use.

Their README says what each of them is; a row of its table is an example.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from carepath.errors import InvalidParameter

_ROW = re.compile(r"^\| `([a-z0-9-]+)\.json` \| (.+?) \| (.+?) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """One example: its file, its shape, what is in it, and the text."""

    name: str
    shape: str
    about: str
    text: str


@cache
def examples() -> dict[str, Example]:
    """Return the examples by name, in the order of their README."""
    return {one.name: one for one in _examples() if '"resourceType": "Bundle"' in one.text}


def text_of_example(name: str) -> str:
    """Return the text of an example; raises InvalidParameter where there is none of the name."""
    if name not in examples():
        raise InvalidParameter("example", name, ", ".join(f"`{one}`" for one in examples()))
    return examples()[name].text


def _examples() -> Iterator[Example]:
    folder = files("carepath.examples")
    for name, shape, about in _ROW.findall((folder / "README.md").read_text("utf-8")):
        text = (folder / f"{name}.json").read_text("utf-8")
        yield Example(name, shape.replace("`", ""), about[:1].upper() + about[1:], text)
