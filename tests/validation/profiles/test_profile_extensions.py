"""Where an extension may stand, by its own definition, and whether it is a modifier."""

from datetime import UTC, datetime
from typing import Any

import pytest

from carepath.knowledge import Knowledge
from carepath.validation import validate

Json = dict[str, Any]
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ROOT = "http://example.org/StructureDefinition/"


def definition(name: str, kind: str, expression: str, **root: Any) -> Json:
    return {
        "resourceType": "StructureDefinition",
        "url": ROOT + name,
        "type": "Extension",
        "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "context": [{"type": kind, "expression": expression}],
        "differential": {"element": [{"id": "Extension", "path": "Extension", **root}]},
    }


KNOWN = Knowledge.of(
    [
        definition("plain", "element", "Basic"),
        definition("modifier", "element", "Basic", isModifier=True),
        definition("outer", "element", "Basic.code"),
        definition("inner", "extension", ROOT + "outer"),
        definition("ruled", "fhirpath", "id.exists()"),
    ]
)


def extension(name: str, *inside: Json) -> Json:
    return {"url": ROOT + name, **({"extension": [*inside]} if inside else {"valueCode": "x"})}


@pytest.mark.parametrize(
    ("elements", "places"),
    [
        ({"extension": [extension("plain")]}, []),
        ({"modifierExtension": [extension("modifier")]}, []),
        ({"modifierExtension": [extension("plain")]}, ["Basic.modifierExtension[0]"]),
        ({"extension": [extension("modifier")]}, ["Basic.extension[0]"]),
        ({"code": {"text": "c", "extension": [extension("plain")]}}, ["Basic.code.extension[0]"]),
        ({"code": {"text": "c", "extension": [extension("outer", extension("inner"))]}}, []),
        ({"extension": [extension("inner")]}, ["Basic.extension[0]"]),
        ({"extension": [extension("plain", extension("inner"))]},
         ["Basic.extension[0].extension[0]"]),
        ({"extension": [extension("ruled")]}, []),
        ({"extension": [extension("unknown")]}, []),
    ],
)  # fmt: skip
def test_where_an_extension_stands(elements: Json, places: list[str]) -> None:
    resource = {"resourceType": "Basic", "id": "b", "code": {"text": "c"}, **elements}
    issues = validate(resource, definitions=KNOWN, now=NOW)
    assert [i.expression[0] for i in issues if i.is_error and i.code == "extension"] == places
