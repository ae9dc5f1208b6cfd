"""YAML read as the JSON that it stands for.

https://yaml.org/spec/1.2.2/

Words are text unless they are values of JSON: `no` and `2026-11-24` are text, and what only YAML
takes for a number (`012`, `0x1F`, `.5`) is refused, for nobody can say what was meant.  Decimals
stay as they were written, a key stands once, and a reference gives a copy; all copies together are
bounded.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from carepath.errors import MalformedInput
from carepath.formats import json
from carepath.formats.yaml.comments import Comments, Path, Places, comments_of

MAX_COPIED = 100_000
"""Values that references may stand for, all together."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_OTHER_NUMBER = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Read(NamedTuple):
    """What stands in a text: the value, and the comments beside it."""

    value: Any
    comments: Comments


def decode(data: bytes) -> Any:
    """Decode one YAML document in UTF-8 to what the JSON of the same values gives.

    Raises MalformedInput, with line and column, for what is no YAML 1.2, has no counterpart in
    JSON, or is over the limits that hold for JSON.
    """
    return _read(_text(data))[0]


def read(data: bytes) -> Read:
    """Decode a document as `decode` does, and return its comments, too."""
    text = _text(data)
    value, places = _read(text)
    return Read(value, comments_of(text, value, places))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInput("the text is not valid UTF-8") from error


def _read(text: str) -> tuple[Any, Places]:
    reader = _Reader(YAML(typ="safe", pure=True).parse(text))
    try:
        return reader.document(), reader.places
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _malformed(f"not valid YAML, {error.problem or error.context}", mark) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise MalformedInput(f"not valid YAML, {str(error).splitlines()[0]}") from error


def _malformed(reason: str, mark: Any) -> MalformedInput:
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    return MalformedInput(reason, place)


class _Built(NamedTuple):
    """A value, and what a copy of it costs: how many values, on how many levels."""

    value: Any
    size: int = 1
    height: int = 0


class _Reader:
    """One document, made of the events of the parser."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, _Built] = {}
        self._copied = 0
        self._size = 0
        self.places = Places()

    def document(self) -> Any:
        self._next(StreamStartEvent)
        first = next(self._events)
        if isinstance(first, StreamEndEvent):
            raise MalformedInput("it is empty")
        if isinstance(first, DocumentStartEvent) and first.version not in (None, (1, 2), [1, 2]):
            raise _malformed("the version must be 1.2, or not be given", first.start_mark)
        found = self._build(next(self._events), (), 0)
        self._next(DocumentEndEvent)
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            raise _malformed("a file holds one document", after.start_mark)
        return found.value

    def _next(self, kind: type) -> None:
        event = next(self._events)
        if not isinstance(event, kind):
            raise _malformed("nothing was expected here", event.start_mark)

    def _build(self, event: Any, path: Path, depth: int) -> _Built:
        """Return what begins with an event."""
        if isinstance(event, AliasEvent):
            self.places.token(event.start_mark, event.end_mark)
            return self._copy(event, depth)
        self._size += 1
        if self._size > json.MAX_VALUES:
            raise MalformedInput(f"it holds more than {json.MAX_VALUES} values")
        if isinstance(event, ScalarEvent):
            is_block = event.style in ("|", ">")
            self.places.token(event.start_mark, event.end_mark, is_block=is_block)
            found = _Built(_scalar(event))
        else:
            self._refuse_depth(event, depth + 1)
            _refuse_tag(event, "map" if isinstance(event, MappingStartEvent) else "seq")
            is_mapping = isinstance(event, MappingStartEvent)
            found = (self._mapping if is_mapping else self._sequence)(path, depth)
        if event.anchor is not None:
            self._anchors[str(event.anchor)] = found
        return found

    def _refuse_depth(self, event: Any, levels: int) -> None:
        if levels > json.MAX_DEPTH:
            reason = f"the nesting is deeper than {json.MAX_DEPTH} levels"
            raise _malformed(reason, event.start_mark)

    def _copy(self, event: Any, depth: int) -> _Built:
        """Return another copy of what a reference means."""
        found = self._anchors.get(str(event.anchor))
        if found is None:
            raise _malformed(f"`*{event.anchor}` refers to nothing before it", event.start_mark)
        self._copied += found.size
        if self._copied > MAX_COPIED:
            raise _malformed(
                f"references stand for more than {MAX_COPIED} values", event.start_mark
            )
        self._refuse_depth(event, depth + found.height)
        return found._replace(value=deepcopy(found.value))

    def _mapping(self, path: Path, depth: int) -> _Built:
        made: dict[str, Any] = {}
        size = height = 0
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = _key(event)
            if key in made:
                reason = f"the key `{key[:60]}` stands twice in one object"
                raise _malformed(reason, event.start_mark)
            self.places.start(event.start_mark.line, (*path, key))
            self.places.token(event.start_mark, event.end_mark)
            inner = self._build(next(self._events), (*path, key), depth + 1)
            made[key] = inner.value
            size, height = size + inner.size, max(height, inner.height)
        self.places.token(event.start_mark, event.end_mark)
        return _Built(made, size + 1, height + 1)

    def _sequence(self, path: Path, depth: int) -> _Built:
        made: list[Any] = []
        size = height = 0
        while not isinstance(event := next(self._events), SequenceEndEvent):
            step = (*path, len(made))
            self.places.start(event.start_mark.line, step)
            inner = self._build(event, step, depth + 1)
            made.append(inner.value)
            size, height = size + inner.size, max(height, inner.height)
        self.places.token(event.start_mark, event.end_mark)
        return _Built(made, size + 1, height + 1)


def _key(event: Any) -> str:
    if not isinstance(event, ScalarEvent):
        raise _malformed("a key must be a text", event.start_mark)
    _refuse_tag(event, "str")
    key = _text_of(event)
    if key == "<<" and not event.style:
        raise _malformed("merging by `<<` is no part of YAML 1.2", event.start_mark)
    return key


def _scalar(event: Any) -> Any:
    """Return the value of a scalar: what JSON would write without quotes is no text."""
    text = _text_of(event)
    if event.style or _refuse_tag(event, "str"):
        _refuse_tag(event, "str")
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return json.decode(text.encode())
    if _OTHER_NUMBER.fullmatch(text):
        reason = f"`{text[:40]}` is a number in YAML only; put quotes around it if it is a text"
        raise _malformed(reason, event.start_mark)
    return text


def _text_of(event: Any) -> str:
    """Return the text of a scalar; two escapes may stand for one character, as in JSON."""
    text = str(event.value)
    if text.isascii():
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise _malformed("half of a character is escaped", event.start_mark) from error


def _refuse_tag(event: Any, kind: str) -> bool:
    """Tell whether a value has a tag; raise MalformedInput for one that says what it is not."""
    tag = None if event.tag is None else str(event.tag)
    if tag in (None, "None"):
        return False
    if tag not in ("!", f"tag:yaml.org,2002:{kind}"):
        raise _malformed(f"the tag `{tag[:60]}` is not read; leave it out", event.start_mark)
    return True
