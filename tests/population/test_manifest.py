"""What the manifest of an export says, and what is no manifest."""

import json
from typing import Any

import pytest

from carepath.errors import MalformedInput
from carepath.population.sources.manifest import Manifest, is_manifest

BASES = {
    "https://one.example/fhir/$export": "https://one.example/fhir",
    "https://one.example/fhir/$export?_type=Patient": "https://one.example/fhir",
    "https://one.example/fhir/Patient/$export": "https://one.example/fhir",
    "https://one.example/fhir/Group/7/$export?_since=2026": "https://one.example/fhir",
    "https://one.example/$export": "https://one.example",
    "": "",
}


@pytest.mark.parametrize(("request_", "base"), BASES.items())
def test_the_server_is_told_by_the_request(request_: str, base: str) -> None:
    manifest = Manifest.of(json.dumps({"request": request_, "output": []}).encode())
    assert (manifest.base, manifest.is_partial) == (base, "_since" in request_)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "a manifest of an export has a list `output`"),
        ({"output": {}}, "a manifest of an export has a list `output`"),
        ({"output": [{"type": "Patient"}]}, "`output` of the manifest is no list of files"),
        ({"output": [], "error": ["x"]}, "`error` of the manifest is no list of files"),
    ],
)
def test_what_is_no_manifest_is_refused(given: Any, reason: str) -> None:
    with pytest.raises(MalformedInput, match=reason):
        Manifest.of(json.dumps(given).encode())


def test_a_resource_is_no_manifest() -> None:
    assert is_manifest(b'{"output": []}')
    for data in (b'{"resourceType": "Task", "output": []}', b"[]", b"{"):
        assert not is_manifest(data)
