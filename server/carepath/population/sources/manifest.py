"""The manifest of a bulk data export: which files there are, and of which server.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from carepath.errors import MalformedInput
from carepath.formats.json import decode

NAME = "manifest.json"


class Item(msgspec.Struct, frozen=True):
    """A file of an export."""

    url: str
    type: str = ""
    count: int = -1

    @property
    def name(self) -> str:
        """Return the last part of its address, which is its name in a folder."""
        return self.url.partition("?")[0].rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says, as far as it matters here."""

    base: str
    output: tuple[Item, ...]
    error: tuple[Item, ...]
    deleted: tuple[Item, ...]
    needs_token: bool
    is_partial: bool
    """Only what has changed since a moment was asked for."""

    @classmethod
    def of(cls, data: bytes) -> "Manifest":
        """Read a manifest; raises MalformedInput."""
        content = decode(data)
        if not isinstance(content, Mapping) or not isinstance(content.get("output"), list):
            raise MalformedInput("a manifest of an export has a list `output`")
        return cls(
            base=_base(str(content.get("request", ""))),
            output=_items(content, "output"),
            error=_items(content, "error"),
            deleted=_items(content, "deleted"),
            needs_token=content.get("requiresAccessToken") is True,
            is_partial="_since=" in str(content.get("request", "")),
        )


def is_manifest(data: bytes) -> bool:
    """Tell whether a file is a manifest, whatever its name."""
    try:
        content = decode(data)
    except MalformedInput:
        return False
    return isinstance(content, Mapping) and "output" in content and "resourceType" not in content


def _items(content: Mapping[str, Any], name: str) -> tuple[Item, ...]:
    given = content.get(name)
    try:
        return tuple(msgspec.convert(given or [], list[Item]))
    except msgspec.ValidationError as error:
        raise MalformedInput(
            f"`{name}` of the manifest is no list of files with a `url`"
        ) from error


def _base(request: str) -> str:
    """Return the base URL of the server that an export was asked of."""
    before = request.partition("?")[0].partition("$export")[0].rstrip("/")
    folder, _, last = before.rpartition("/")
    if last == "Patient":
        return folder
    group, _, kind = folder.rpartition("/")
    return group if kind == "Group" else before
