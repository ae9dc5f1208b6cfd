"""The writings of content: JSON, and YAML as a second one, told by the ending of a file's name."""

from typing import Any

from carepath.formats import json

YAML = (".yaml", ".yml")
ENDINGS = (".json", *YAML)


def decode_file(name: str, data: bytes) -> Any:
    """Return the value of a file; raises MalformedInput for what its writing does not allow."""
    if not name.endswith(YAML):
        return json.decode(data)
    # Few have content in YAML, and nobody else should wait for the library.
    from carepath.formats import yaml  # noqa: PLC0415

    return yaml.decode(data)
