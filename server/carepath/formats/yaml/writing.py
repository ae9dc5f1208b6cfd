"""JSON values written as YAML that reads the same everywhere.

https://yaml.org/spec/1.2.2/

Text is quoted where any reader, of YAML 1.1 too, could take it for something else (`no`, dates);
text of several lines is a block.
"""

import json as standard
import re
from collections.abc import Iterator
from typing import Any

from carepath.formats import json
from carepath.formats.yaml.comments import Comments, Path, step_of

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PLAIN = re.compile(r"[^\W\d_](?:[\w./|@%+()'\",;!?=&*$<>-]|:(?=[^\s])| (?=[^\s#]))*")
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_NO_COMMENTS = Comments()


def encode(value: Any, comments: Comments = _NO_COMMENTS) -> bytes:
    """Encode dicts, lists and scalars as YAML in UTF-8, with comments where their elements are."""
    # A text at the margin could not be told from a comment after it.
    lines = [_quoted(value)] if isinstance(value, str) else list(_block(value, (), comments))
    lines += comments.before.get((), ())
    return "".join(f"{line}\n" for line in lines).encode()


def _block(value: Any, path: Path, comments: Comments) -> Iterator[str]:
    """Yield the lines of a value that stands by itself."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            name = key if _is_plain_key(key) else _quoted(key)
            yield from _element(f"{name}:", inner, (*path, key), comments)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _item(item, (*path, step_of(number, item)), comments)
    else:
        yield from _scalar_lines(value)


def _element(name: str, value: Any, path: Path, comments: Comments) -> Iterator[str]:
    """Yield a key with its value: beside it, or below and further in."""
    yield from comments.before.get(path, ())
    beside = _beside(path, comments)
    if isinstance(value, dict | list) and value:
        yield name + beside
        yield from (f"  {line}" if line else "" for line in _block(value, path, comments))
        return
    first, *more = _scalar_lines(value)
    yield f"{name} {first}{beside}"
    yield from (f"  {line}" if line else "" for line in more)


def _item(value: Any, path: Path, comments: Comments) -> Iterator[str]:
    """Yield an item of a list: a dash, and its lines further in; what is said of it comes first."""
    yield from comments.before.get(path, ())
    lines = list(_block(value, path, comments))
    if isinstance(value, dict | list) and value:
        said = comments.beside.get(path)
        yield from [said] if said else []
        while lines[0].startswith("#"):
            yield lines.pop(0)
        yield f"- {lines[0]}"
    else:
        yield f"- {lines[0]}{_beside(path, comments)}"
    yield from (f"  {line}" if line else "" for line in lines[1:])


def _beside(path: Path, comments: Comments) -> str:
    said = comments.beside.get(path)
    return f"  {said}" if said else ""


def _scalar_lines(value: Any) -> list[str]:
    """Return a scalar or an empty collection in one line, or a text as a block in several."""
    if not isinstance(value, str):
        return [json.encode(value).decode()]
    if "\n" in value and _may_be_block(value):
        head = "|" if value.endswith("\n") else "|-"
        return [head, *value.removesuffix("\n").split("\n")]
    return [value if _is_plain(value) else _quoted(value)]


def _may_be_block(text: str) -> bool:
    """Tell whether a block holds a text as it is, whatever trims the ends of lines."""
    lines = text.removesuffix("\n").split("\n")
    fits = all(line.isprintable() and line == line.rstrip() for line in lines)
    return fits and bool(lines[0]) and not lines[0].startswith(" ") and bool(lines[-1])


def _is_plain(text: str) -> bool:
    is_word = text.lower() in _RESERVED
    return not is_word and text.isprintable() and bool(_PLAIN.fullmatch(text))


def _is_plain_key(key: str) -> bool:
    return bool(_PLAIN_KEY.fullmatch(key)) and key.lower() not in _RESERVED


def _quoted(text: str) -> str:
    """Return a text in double quotes; what does not print is escaped, as JSON has no need to."""
    made = standard.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in made)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"  # noqa: PLR2004 - UTF-16
