"""YAML as a second writing of JSON: the same values, with comments."""

from carepath.formats.yaml.comments import Comments
from carepath.formats.yaml.reading import decode, read
from carepath.formats.yaml.writing import encode

__all__ = ["Comments", "decode", "encode", "read"]
