"""What R4 publishes beside its types: its profiles, extensions, code systems and value sets.

https://hl7.org/fhir/R4/profilelist.html and https://hl7.org/fhir/R4/terminologies-systems.html

They are read when they are asked for: a shard of the generated package holds a few dozen, and the
last shards stay in memory.
"""

import io
import zipfile
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import msgspec

RELEASE = "4.0.1"
_SHARDS_KEPT = 24


def published(resource_type: str, canonical: str) -> dict[str, Any] | None:
    """Return a definition of R4 by canonical, None when R4 has none; nobody may change it.

    A version has to be that of the definition or of R4.
    """
    url, _, version = canonical.partition("|")
    number = _index().get(resource_type, {}).get(url)
    if number is None:
        return None
    found = _shard(number)[url]
    return found if version in ("", RELEASE, str(found.get("version"))) else None


def published_type(url: str) -> str:
    """Return the resource type of a definition of R4 by URL, empty when R4 has none."""
    return next((name for name, of_type in _index().items() if url in of_type), "")


@cache
def _index() -> Mapping[str, Mapping[str, int]]:
    index: dict[str, dict[str, int]] = msgspec.json.decode(_archive().read("index.json"))
    return index


@lru_cache(maxsize=_SHARDS_KEPT)
def _shard(number: int) -> dict[str, dict[str, Any]]:
    """Return the definitions of a shard by URL."""
    definitions = msgspec.json.decode(_archive().read(f"{number}.json"))
    return {definition["url"]: definition for definition in definitions}


@cache
def _archive() -> zipfile.ZipFile:
    """Return the package, held in memory: processes that are forked share no place in a file."""
    return zipfile.ZipFile(io.BytesIO(files("carepath.r4").joinpath("published.zip").read_bytes()))
