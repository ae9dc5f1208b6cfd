"""What a reference inside a validated resource leads to, and what type its target has."""

from typing import Any

import pytest

from carepath.validation.profiles.references import References, target_type
from carepath.validation.walker import named, root_item

INSIDE = {"resourceType": "Device", "id": "d"}
HOLDER: dict[str, Any] = {"resourceType": "Observation", "id": "o", "contained": [INSIDE]}
FIRST, SECOND = {"resourceType": "Patient", "id": "a"}, {"resourceType": "Group", "id": "b"}
URL = "http://example.org/Thing/1"
BUNDLE = {
    "resourceType": "Bundle",
    "entry": [{"fullUrl": URL, "resource": one} for one in (HOLDER, FIRST, SECOND)],
}


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#d", INSIDE),
        ("#e", None),
        ("#", HOLDER),
        (URL, HOLDER),  # Of several with one name the first counts.
        ("Group/b", SECOND),
        ("Group/b/_history/3", SECOND),
        ("http://example.org/fhir/Patient/a", FIRST),
        ("Patient/b", None),
        ("a", None),
    ],
)
def test_what_a_reference_means(reference: str, found: Any) -> None:
    assert References(BUNDLE).find(reference, HOLDER) is found


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ({"reference": "#d"}, "Device"),
        ({"reference": "Group/b", "type": "Patient"}, "Group"),
        ({"reference": "Practitioner/1/_history/2"}, "Practitioner"),
        ({"reference": "urn:oid:1.2", "type": "Organization"}, "Organization"),
        ({"type": "Strange", "identifier": {"value": "1"}}, ""),
        ({"reference": "Strange/1"}, ""),
        ({"display": "somebody"}, ""),
    ],
)
def test_the_type_of_what_a_reference_leads_to(reference: dict[str, Any], found: str) -> None:
    (item,) = named(root_item({**HOLDER, "subject": reference}), "subject")
    assert target_type(item, References(BUNDLE)) == found
