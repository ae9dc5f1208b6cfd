"""What R4's text asks for beyond its invariants is a warning of `validate`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from carepath.knowledge import Knowledge
from carepath.validation import validate

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def warnings(resource: dict[str, Any]) -> list[str]:
    issues = validate(resource, definitions=Knowledge.shipped(), now=NOW)
    return [i.expression[0] for i in issues if i.severity == "warning" and i.code == "value"]


def bundle(full_url: str, resource: dict[str, Any]) -> dict[str, Any]:
    entry = {"fullUrl": full_url, "resource": resource}
    return {"resourceType": "Bundle", "type": "collection", "entry": [entry]}


PATIENT = {"resourceType": "Patient", "id": "p"}


@pytest.mark.parametrize(
    ("resource", "places"),
    [
        ({**PATIENT, "name": [{"text": " \n"}]}, ["Patient.name[0].text"]),
        ({**PATIENT, "name": [{"text": " a "}]}, []),
        ({**PATIENT, "meta": {"profile": ["Patient/x"]}}, ["Patient.meta.profile[0]"]),
        ({**PATIENT, "meta": {"profile": ["urn:uuid:x", "http://example.org/p|1"]}}, []),
        (bundle("http://example.org/Patient/p", PATIENT), []),
        (bundle("http://example.org/Patient/q", PATIENT), ["Bundle.entry[0].fullUrl"]),
        (bundle("http://example.org/Group/p", PATIENT), ["Bundle.entry[0].fullUrl"]),
        (bundle("http://example.org/Patient/q", {"resourceType": "Patient"}), []),
        (bundle("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", PATIENT), []),
        (bundle("http://example.org/records?id=p", PATIENT), []),
        (bundle("http://example.org/Records/1", PATIENT), []),
    ],
)
def test_what_the_text_of_r4_advises_against(resource: dict[str, Any], places: list[str]) -> None:
    assert warnings(resource) == places


def test_it_is_told_of_resources_inside_resources() -> None:
    resource = bundle("http://example.org/Patient/p", {**PATIENT, "name": [{"family": " "}]})
    assert warnings(resource) == ["Bundle.entry[0].resource.name[0].family"]
