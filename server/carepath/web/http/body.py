"""Reading a request body within limits: encoding, size, format, entries.

https://hl7.org/fhir/R4/http.html#mime-type
"""

import re
import zlib
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

from carepath.errors import MalformedInput
from carepath.formats import json as json_codec
from carepath.resources import Resource
from carepath.web.config import Config
from carepath.web.http.negotiation import Format, UnsupportedMediaType
from carepath.web.http.refusals import TooLarge

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_CHUNK = 4_096
_MAX_FORM_BYTES = 200_000
_MAX_FIELDS = 1_000
_MUCH = 1_000_000
"""What is smaller may have been packed as tightly as gzip can."""
_OUTER_BUNDLE = re.compile(r"Bundle|Parameters\.parameter\[\d+\]\.resource")


class Stream(Protocol):
    """Where the bytes of a body come from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


def read(stream: Stream, declared: int | None, encoding: str, config: Config) -> bytes:
    """Read a body, unpacked, and never more of it than the limits allow."""
    limit = config.max_body_bytes
    if declared is not None and declared > limit:
        raise TooLarge("The body", limit)
    try:
        # One byte more than allowed tells that there is more.
        data = stream.read(limit + 1 if declared is None else declared)
    except OSError as error:
        raise MalformedInput("the body broke off or is not chunked as it says") from error
    if declared is not None and len(data) < declared:
        raise MalformedInput(f"the body broke off after {len(data)} of {declared} bytes")
    if len(data) > limit:
        raise TooLarge("The body", limit)
    unpack = _ENCODINGS.get(encoding.strip().lower())
    if unpack is None:
        raise UnsupportedMediaType(f"Content-Encoding: {encoding}", "gzip, or no encoding")
    return unpack(data, config)


def decode(data: bytes, fmt: Format, config: Config) -> Resource:
    """Decode the bytes of one resource and hold it to the limit of entries."""
    value = _DECODERS[fmt](data, config)
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise MalformedInput("a FHIR resource is an object with a `resourceType`")
    _refuse_entries(value, config.max_entries)
    return value


def encode(resource: Mapping[str, Any], fmt: Format, *, pretty: bool = False) -> bytes:
    """Encode one resource in the format of the answer."""
    if fmt == "json":
        return json_codec.encode(resource, pretty=pretty)
    from carepath.formats import xml as xml_codec  # noqa: PLC0415  lxml loads only when somebody wants XML

    return xml_codec.encode(dict(resource), pretty=pretty)


def _from_json(data: bytes, config: Config) -> Any:
    return json_codec.decode(data, max_depth=config.max_depth)


def _from_xml(data: bytes, config: Config) -> Any:
    from carepath.formats import xml as xml_codec  # noqa: PLC0415  as above

    def refuse(path: str, entries: int) -> None:
        if entries > config.max_entries and _OUTER_BUNDLE.fullmatch(path):
            raise _too_many(path, config.max_entries)

    return xml_codec.decode(data, max_depth=config.max_depth, on_bundle=refuse)


_DECODERS = {"json": _from_json, "xml": _from_xml}


def _plain(data: bytes, config: Config) -> bytes:
    if len(data) > config.max_expanded_bytes:
        raise TooLarge("The body", config.max_expanded_bytes)
    return data


def _gunzip(data: bytes, config: Config) -> bytes:
    """Unpack gzip, one member after the other, stopping as soon as the result is over a limit."""
    limit, what = config.max_expanded_bytes, "The body after gunzip"
    most = max(_MUCH, len(data) * config.max_expansion)
    if most < limit:
        limit, what = most, f"{what}, which may have {config.max_expansion} times its size,"
    result = bytearray()
    unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        for start in range(0, len(data), _CHUNK):
            rest = data[start : start + _CHUNK]
            while rest:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
                result += unpacker.decompress(rest, limit + 1 - len(result))
                if len(result) > limit:
                    raise TooLarge(what, limit)
                rest = unpacker.unused_data
    except zlib.error as error:
        raise MalformedInput("the body is not valid gzip") from error
    if not unpacker.eof:
        raise MalformedInput("the body is not a complete gzip stream")
    return bytes(result)


_ENCODINGS = {"": _plain, "identity": _plain, "gzip": _gunzip, "x-gzip": _gunzip}


def _refuse_entries(value: Resource, limit: int) -> None:
    """Raise TooLarge when a Bundle, bare or inside Parameters, has too many entries."""
    for path, resource in _bundles(value):
        entries = resource.get("entry")
        if isinstance(entries, list) and len(entries) > limit:
            raise _too_many(path, limit)


def _too_many(path: str, limit: int) -> TooLarge:
    return TooLarge("The number of entries", limit, f"{path}.entry")


def _bundles(value: Resource) -> list[tuple[str, Resource]]:
    found = [("Bundle", value)] if value["resourceType"] == "Bundle" else []
    parameters = value.get("parameter") if value["resourceType"] == "Parameters" else None
    for index, part in enumerate(parameters if isinstance(parameters, list) else ()):
        resource = part.get("resource") if isinstance(part, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
            found.append((f"Parameters.parameter[{index}].resource", resource))
    return found


def form(data: bytes) -> list[tuple[str, str]]:
    """Return the pairs of a form or a query; raise MalformedInput when it is not UTF-8."""
    if len(data) > _MAX_FORM_BYTES:
        raise TooLarge("The form", _MAX_FORM_BYTES)
    if data.count(b"&") >= _MAX_FIELDS:
        raise TooLarge("The number of parameters", _MAX_FIELDS)
    try:
        return parse_qsl(data.decode(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise MalformedInput("the parameters are not URL-encoded UTF-8") from error
