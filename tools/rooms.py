"""Draw the rooms of the package and the way of a request, from the imports.

    python tools/rooms.py          writes docs/architecture.svg and docs/architecture.md

A room is a folder that holds modules; in a folder that has folders of its own, each module beside
them is a room, too. The way of a request is the table in ARCHITECTURE.md.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "server/carepath"
PAGE = ROOT / "docs/architecture.md"
DRAWING = ROOT / "docs/architecture.svg"
# The two folders of content are mapped into the package; they are data.
DATA = ("pathways", "fhir_profiles", "examples")
# Modules beside the packages, by the band that they stand in.
LOOSE = {
    "carepath": "entry",
    "__main__": "entry",
    "spark": "entry",
    **dict.fromkeys(("addresses", "canonical", "errors", "issues", "resources"), "leaves"),
}

Graph = dict[str, set[str]]


class Import(NamedTuple):
    """One module that is imported, by whom, and whether an import statement says so."""

    by: str
    of: str
    hidden: bool


@cache
def modules() -> Mapping[str, Path]:
    """Return the file of each module, by its name within the package; '' is the package itself."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        .removesuffix("__init__")
        .rstrip("."): path
        for path in sorted(SOURCE.rglob("*.py"))
        if path.relative_to(SOURCE).parts[0] not in DATA
    }


def room_of(module: str) -> str:
    """Return the room of a module."""
    path = modules()[module]
    shares = any((folder / "__init__.py").exists() for folder in path.parent.iterdir())
    if shares:
        return module or "carepath"
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


@cache
def imports() -> tuple[Import, ...]:
    """Return every import of a module of the package, wherever in a module it stands."""
    return tuple(
        Import(name, found, hidden)
        for name, path in modules().items()
        for found, hidden in _imported(ast.parse(path.read_text("utf-8")))
        if found != name
    )


def _imported(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield from _ours(f"{node.module}.{alias.name}", False)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _ours(alias.name, False)
        elif isinstance(node, ast.Call) and _name(node.func) in ("import_module", "__import__"):
            argument = node.args[0]
            literal = isinstance(argument, ast.Constant) and str(argument.value)
            yield from _ours(literal, True) if literal else [("", True)]


def _ours(name: str, hidden: bool) -> Iterator[tuple[str, bool]]:
    """Yield the module of the package that a dotted name means, or is a name of."""
    if name == "carepath" or name.startswith("carepath."):
        inner = name.removeprefix("carepath").lstrip(".")
        yield inner if inner in modules() else inner.rpartition(".")[0], hidden


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


@cache
def graph() -> Graph:
    """Return which rooms each room imports; a folder that only says what it is, is none."""
    found: Graph = {room_of(name): set() for name in modules()}
    for one in imports():
        if (by := room_of(one.by)) != (of := room_of(one.of)):
            found[by].add(of)
    used = set().union(*found.values())
    return {room: below for room, below in found.items() if below or room in used}


def package_of(room: str) -> str:
    """Return the package of a room: its first name, or the band of a module beside packages."""
    return LOOSE.get(room, room.partition(".")[0])


def levels(edges: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return how far each node is above what it imports; circles are cut."""
    found: dict[str, int] = {}

    def level(node: str, above: tuple[str, ...]) -> int:
        if node not in found:
            below = [level(n, (*above, node)) for n in sorted(edges[node]) if n not in above]
            found[node] = 1 + max(below, default=-1)
        return found[node]

    for node in sorted(edges):
        level(node, (node,))
    return found


def packages() -> Graph:
    """Return which packages each package imports."""
    found: Graph = {package_of(room): set() for room in graph()}
    for room, below in graph().items():
        found[package_of(room)] |= {package_of(b) for b in below} - {package_of(room)}
    return found


def about(room: str) -> str:
    """Return the first sentence of a room."""
    text = ast.get_docstring(ast.parse(modules()[room.removeprefix("carepath")].read_text("utf-8")))
    return (text or "").partition("\n")[0]


@cache
def steps() -> Mapping[str, tuple[str, ...]]:
    """Return the steps of a request in each room, by the table in ARCHITECTURE.md."""
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    table = page.partition("How one request flows\n")[2].partition("\n#")[0]
    found: dict[str, list[str]] = {}
    for step, where in re.findall(r"^\| (\d+) \| ([^|]*) \|", table, re.MULTILINE):
        for name in re.findall(r"`([\w/]+?)(?:\.py)?`", where):
            found.setdefault(_room_named(name), []).append(step)
    return {room: tuple(dict.fromkeys(numbers)) for room, numbers in found.items()}


def _room_named(path: str) -> str:
    """Return the room of a module or folder as ARCHITECTURE.md writes it: `web/http/body`."""
    return room_of(path.rstrip("/").replace("/", "."))


# The drawing: a band for each package with its rooms in reading order, each before those that it
# imports; at the right a column for each package, with a dot in the bands that import it.

_WIDE, _HIGH, _GAP, _LEFT, _TOP, _COLUMN = 148, 30, 10, 112, 104, 26
_IN_A_ROW = 5
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.name{font-weight:600;font-size:13px}"
    ".step{font-weight:600;fill:#fff;text-anchor:middle;font-size:11px}"
    ".small{fill:#555;font-size:11px}.band{fill:#f3f5f7;stroke:#c9d1d9}"
    ".room{fill:#fff;stroke:#8795a3}.way{fill:#b3541e}.line{stroke:#dde3e8}.dot{fill:#456}"
)
_HEAD = (
    ("name", 24, "The rooms of Carepath"),
    ("small", 42, "From the imports: bands import bands below them, as the dots at the right say."),
    ("small", 58, "Within a band each room imports only rooms that come after it, read like text."),
    ("small", 74, "A number is a step of a request: see ARCHITECTURE.md, How one request flows."),
)


def bands() -> list[tuple[str, list[str]]]:
    """Return the packages from the top down, each with its rooms from the top down."""
    heights = levels(packages())
    order = sorted(heights, key=lambda name: (-heights[name], name))
    return [(name, _in_order(name)) for name in order]


def _in_order(package: str) -> list[str]:
    inner = {
        room: {b for b in below if package_of(b) == package}
        for room, below in graph().items()
        if package_of(room) == package
    }
    heights = levels(inner)
    return sorted(inner, key=lambda room: (-heights[room], room))


def drawing() -> str:
    """Return the picture as SVG."""
    right = _LEFT + _IN_A_ROW * (_WIDE + _GAP)
    parts: list[str] = []
    top = _TOP
    for package, rooms in bands():
        high = -(-len(rooms) // _IN_A_ROW) * (_HIGH + _GAP) + _GAP
        parts += _band(package, rooms, top, right, high)
        parts += _dots(package, right, top + high // 2)
        top += high + 8
    width = right + 24 + _COLUMN * len(bands())
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" '
        f'width="{width}" height="{top}" role="img" aria-label="The rooms of Carepath">'
    )
    texts = [f'<text class="{kind}" x="12" y="{y}">{text}</text>' for kind, y, text in _HEAD]
    columns = list(_columns(right, top))
    return "\n".join([head, f"<style>{_STYLE}</style>", *texts, *columns, *parts, "</svg>"]) + "\n"


def _columns(right: int, bottom: int) -> Iterator[str]:
    """Yield a line for each package, with its name above."""
    for place, (package, _) in enumerate(bands()):
        x = right + 24 + _COLUMN * place
        yield f'<path class="line" d="M{x} {_TOP}V{bottom - 8}"/>'
        turned = f'transform="translate({x + 4} {_TOP - 6}) rotate(-60)"'
        yield f'<text class="small" {turned}>{escape(package)}</text>'


def _dots(package: str, right: int, y: int) -> Iterator[str]:
    """Yield a dot below the name of each package that one imports."""
    for place, (other, _) in enumerate(bands()):
        if other in packages()[package]:
            yield f'<circle class="dot" cx="{right + 24 + _COLUMN * place}" cy="{y}" r="5"/>'


def _band(package: str, rooms: list[str], top: int, right: int, high: int) -> Iterator[str]:
    yield f'<rect class="band" x="8" y="{top}" width="{right - 8}" height="{high}" rx="6"/>'
    yield f'<text class="name" x="20" y="{top + high // 2 + 4}">{escape(package)}</text>'
    for place, room in enumerate(rooms):
        row, column = divmod(place, _IN_A_ROW)
        yield from _room(room, _LEFT + column * (_WIDE + _GAP), top + _GAP + row * (_HIGH + _GAP))


def _room(room: str, x: int, y: int) -> Iterator[str]:
    label = room.partition(".")[2].replace(".", "/") or room
    yield f'<rect class="room" x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="4"/>'
    yield f'<text x="{x + 8}" y="{y + 19}">{escape(label)}</text>'
    for place, step in enumerate(reversed(steps().get(room, ()))):
        middle = x + _WIDE - 12 - 19 * place
        yield f'<circle class="way" cx="{middle}" cy="{y + _HIGH // 2}" r="9"/>'
        yield f'<text class="step" x="{middle}" y="{y + _HIGH // 2 + 4}">{step}</text>'


def page() -> str:
    """Return the page: the picture, and the same as a table."""
    lines = [
        "# The rooms",
        "",
        "Written by `make rooms` from the imports; [ARCHITECTURE.md](../ARCHITECTURE.md) says why "
        "they are as they are. Imports point down (`tests/test_layers.py`).",
        "",
        "![The rooms of Carepath, each above what it imports](architecture.svg)",
        "",
        "| room | what it is | imports |",
        "|---|---|---|",
    ]
    for _, rooms in bands():
        for room in rooms:
            uses = ", ".join(f"`{name}`" for name in _shown(room))
            text = about(room).replace("|", "\\|")
            lines.append(f"| `{room.replace('.', '/')}` | {text} | {uses} |")
    return "\n".join(lines) + "\n"


def _shown(room: str) -> list[str]:
    """Return what a room imports: rooms of its own package, and other packages as a whole."""
    mine = package_of(room)
    names = {b.replace(".", "/") if package_of(b) == mine else package_of(b) for b in graph()[room]}
    return sorted(names)


def main() -> None:
    """Write both files."""
    DRAWING.write_text(drawing(), "utf-8")
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
