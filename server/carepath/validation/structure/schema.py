"""The generated JSON Schema of R4, compiled once by jsonschema-rs.

https://json-schema.org/draft/2020-12 and https://hl7.org/fhir/R4/json.html

The schema itself is `fhir_profiles/schemas/fhir-r4.schema.json`, made by `tools/generate_r4`.  Two
keywords and a format of our own say what plain JSON Schema cannot.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from carepath.validation.structure.narrative import is_well_formed

FORMATS: Mapping[str, Callable[[str], bool]] = {"fhir-xhtml": is_well_formed}


class Aligned:
    """`fhirAligned: "given"`: `given` and `_given` have as many places, none empty in both."""

    def __init__(self, _parent: Any, value: str, _path: Any) -> None:
        self._name = value

    def validate(self, instance: Any) -> None:
        """Raise ValueError when the two arrays do not fit together."""
        if not is_aligned(instance, self._name):
            raise ValueError("not aligned")


class IntegerLiteral:
    """`fhirInteger: true`: written as an integer; JSON Schema also takes 1.0 and 1e2 for one."""

    def __init__(self, _parent: Any, _value: bool, _path: Any) -> None:
        pass

    def validate(self, instance: Any) -> None:
        """Raise ValueError for a number with a fraction or an exponent."""
        if not is_integer_literal(instance):
            raise ValueError("not an integer")


KEYWORDS: Mapping[str, type[Any]] = {
    "fhirAligned": Aligned,
    "fhirInteger": IntegerLiteral,
}


def is_aligned(owner: Any, name: str) -> bool:
    """Tell whether the array `name` of `owner` fits its sibling of ids and extensions."""
    if not isinstance(owner, dict):
        return True
    siblings, values = owner.get("_" + name), owner.get(name)
    if not isinstance(siblings, list):
        return True
    if values is None:
        return None not in siblings
    if not isinstance(values, list):
        return True
    pairs = zip(values, siblings, strict=False)
    return len(values) == len(siblings) and (None, None) not in pairs


def is_integer_literal(value: Any) -> bool:
    """Tell whether a whole number was written as one; what is no whole number passes here."""
    return not isinstance(value, (float, Decimal)) or value % 1 != 0


@cache
def schema_text() -> str:
    """Return the generated JSON Schema as text."""
    path = files("carepath.fhir_profiles").joinpath("schemas/fhir-r4.schema.json")
    return path.read_text(encoding="utf-8")


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        schema_text(),
        formats=dict(FORMATS),
        validate_formats=True,
        keywords=dict(KEYWORDS),
        # Linear-time expressions only: no pattern can be made slow by what is sent.
        pattern_options=jsonschema_rs.RegexOptions(),
        offline=True,
    )


def is_valid(resource: Any) -> bool:
    """Tell whether a resource fits the schema; fast, stops at the first error."""
    return _validator().is_valid(resource)


def errors(resource: Any) -> Iterator[jsonschema_rs.ValidationError]:
    """Yield every violation of the schema."""
    return _validator().iter_errors(resource)
