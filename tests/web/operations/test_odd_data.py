"""One odd thing in the data refuses nothing else: over every endpoint, in JSON and in XML."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.formats import xml as xml_codec

Json = dict[str, Any]
Bundle = Callable[..., Json]

WALK = "/fhir/PlanDefinition/walk"
ENDPOINTS = (f"{WALK}/$apply", f"{WALK}/$r5.apply", "/fhir/$apply-pathways")
XML = "application/fhir+xml"

PATIENT: Json = {"resourceType": "Patient", "id": "p", "gender": "female"}
OTHER: Json = {"resourceType": "Patient", "id": "q", "birthDate": "1970-02-30"}
FEVER: Json = {
    "resourceType": "Condition",
    "id": "hay",
    "clinicalStatus": {"coding": [{"system": "http://snomed.info/sct", "code": "81323004"}]},
    "code": {"text": "hay fever"},
    "subject": {"reference": "Patient/p"},
}
FEVER_TOLD = "`Condition/hay` was not used: `clinicalStatus` has no coding of"
MUTE: Json = {"resourceType": "Procedure", "id": "x", "subject": {"reference": "Patient/p"}}


def practitioner(**name: str) -> Json:
    return {"resourceType": "Practitioner", "id": "d", "name": [name]}


def parameters(*parts: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(parts)}


def post(client: FlaskClient, url: str, body: Json) -> tuple[int, Json]:
    """Return what is answered to JSON, which must be what is answered to XML."""
    plain = client.post(url, json=body)
    sent = xml_codec.encode(body)
    other = client.post(url, data=sent, headers={"Content-Type": XML, "Accept": XML})
    answer: Json = json.loads(plain.data)
    assert (other.status_code, xml_codec.decode(other.data)) == (plain.status_code, answer)
    return plain.status_code, answer


def issues(value: Any) -> list[Json]:
    """Return the issues of all outcomes in an answer, wherever they stand."""
    if isinstance(value, list):
        return [issue for one in value for issue in issues(one)]
    if not isinstance(value, dict):
        return []
    if value.get("resourceType") == "OperationOutcome":
        return list(value["issue"])
    return [issue for one in value.values() for issue in issues(one)]


def about(answer: Json, element: str) -> list[tuple[str, str]]:
    """Return severity and sentence of the issues about an element."""
    return [
        (issue["severity"], issue["diagnostics"])
        for issue in issues(answer)
        if element in issue.get("expression", ())
    ]


ODD = {
    "a use of a name": (
        practitioner(use="CURRENT", family="A"), "name[0].use",
        "`Bundle.entry[1].resource.name[0].use` is not a code of"),
    "a status of another system": (FEVER, "clinicalStatus", FEVER_TOLD),
    "a status that is none": (
        {**MUTE, "status": "finished"}, "status",
        "`Procedure/x` was not used: `status` is not a code of"),
    "no status": (MUTE, "status", "`Procedure/x` was not used: `status` is required but missing."),
    "a day that does not exist": (
        {**FEVER, "clinicalStatus": None, "onsetDateTime": "2025-02-30"}, "onset",
        "`Condition/hay` was not used: `onset` is not a valid dateTime."),
}  # fmt: skip


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("odd", "element", "said"), ODD.values(), ids=ODD.keys())
def test_the_rest_is_answered(
    client: FlaskClient, bundle: Bundle, odd: Json, element: str, said: str, endpoint: str
) -> None:
    odd = {name: value for name, value in odd.items() if value is not None}
    status, answer = post(client, endpoint, bundle(PATIENT, odd))
    assert status == 200
    ((severity, sentence),) = about(answer, f"Bundle.entry[1].resource.{element}")
    assert severity == "warning"
    assert sentence.startswith(said)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "elements",
    [
        {"telecom": [{"system": "phone", "value": "1", "use": "HOME"}]},
        {"address": [{"city": "A", "use": "B"}]},
        {"name": [{"family": "A", "use": "L"}]},
        {"identifier": [{"value": "1", "use": "MR"}]},
        {"text": {"status": "made", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A</div>'}},
    ],
    ids=lambda elements: str(*elements),
)
def test_a_patient_with_an_odd_use_is_the_patient(
    client: FlaskClient, bundle: Bundle, elements: Json, endpoint: str
) -> None:
    plain = post(client, endpoint, bundle(PATIENT))[1]
    status, answer = post(client, endpoint, bundle({**PATIENT, **elements}))
    assert status == 200
    ((name, (value,)),) = ((n, v if isinstance(v, list) else [v]) for n, v in elements.items())
    place = f"Bundle.entry[0].resource.{name}" + ("[0]" if name != "text" else "")
    place += ".use" if "use" in value else ".status"
    assert [severity for severity, _ in about(answer, place)] == ["warning"]
    assert len(issues(answer)) == len(issues(plain)) + 1


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_is_left_out_is_no_fact(client: FlaskClient, bundle: Bundle, endpoint: str) -> None:
    """Its text and its code are nowhere in the answer, but that it was there is."""
    _, answer = post(client, endpoint, bundle(PATIENT, FEVER))
    text = json.dumps(answer)
    assert "hay fever" not in text
    assert "81323004" not in text
    assert "`Condition/hay` was not used" in text


KEY: Json = {"name": "key", "valueString": "x"}
SLOTS: dict[str, tuple[Callable[[Json], Json], str]] = {
    "bare": (lambda data: data["resource"], "Bundle"),
    "data": (parameters, "Parameters.parameter[0].resource"),
    "prefetchData": (
        lambda data: parameters({"name": "prefetchData", "part": [KEY, data]}),
        "Parameters.parameter[0].part[1].resource",
    ),
}


@pytest.mark.parametrize(
    ("endpoint", "slot"),
    # `$apply-pathways` takes no prefetched data.
    [
        (endpoint, slot)
        for slot in SLOTS
        for endpoint in ENDPOINTS[: 2 if slot == "prefetchData" else 3]
    ],
)
def test_wherever_the_data_stand(
    client: FlaskClient, bundle: Bundle, endpoint: str, slot: str
) -> None:
    wrap, place = SLOTS[slot]
    body = wrap({"name": "data", "resource": bundle(PATIENT, FEVER)})
    status, answer = post(client, endpoint, body)
    assert status == 200
    ((severity, sentence),) = about(answer, f"{place}.entry[1].resource.clinicalStatus")
    assert severity == "warning"
    assert sentence.startswith(FEVER_TOLD)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("resources", "name", "element"),
    [
        ([OTHER], "Patient/q", "Bundle.entry[0].resource.birthDate"),
        ([FEVER, OTHER], "Patient/q", "Bundle.entry[1].resource.birthDate"),
        ([FEVER], "Condition/hay", "Bundle.entry[0].resource.clinicalStatus"),
    ],
    ids=["the only resource", "the only Patient", "no Patient"],
)
def test_what_leaves_nobody_to_answer_for_is_refused_by_name(
    client: FlaskClient,
    bundle: Bundle,
    resources: list[Json],
    name: str,
    element: str,
    endpoint: str,
) -> None:
    status, outcome = post(client, endpoint, bundle(*resources))
    assert status == 422
    ((severity, sentence),) = about(outcome, element)
    assert severity == "error"
    assert sentence.startswith(f"`{name}` cannot be read: ")


@pytest.mark.parametrize("operation", ["$apply", "$r5.apply"])
def test_a_subject_who_cannot_be_read_is_refused_and_another_is_not(
    client: FlaskClient, bundle: Bundle, operation: str
) -> None:
    sent = bundle(PATIENT, OTHER, {**MUTE, "id": "y", "subject": {"reference": "Patient/q"}})
    said = "`Patient/q` cannot be read: `birthDate` is not a valid date."
    status, outcome = post(client, f"{WALK}/{operation}?subject=Patient/q", sent)
    assert status == 422
    assert about(outcome, "Bundle.entry[1].resource.birthDate") == [("error", said)]
    status, answer = post(client, f"{WALK}/{operation}?subject=Patient/p", sent)
    assert status == 200
    assert about(answer, "Bundle.entry[1].resource.birthDate") == [
        ("warning", "`Patient/q` was not used: `birthDate` is not a valid date.")
    ]
    # Who is meant is not clear because one of two cannot be read.
    status, outcome = post(client, f"{WALK}/{operation}", sent)
    assert status == 400
    assert "`Patient/p`, `Patient/q`" in outcome["issue"][0]["diagnostics"]


def test_one_of_several_subjects_who_cannot_be_read(client: FlaskClient, bundle: Bundle) -> None:
    url = f"{WALK}/$r5.apply?subject=Patient/p&subject=Patient/q"
    status, outcome = post(client, url, bundle(PATIENT, OTHER))
    assert status == 422
    assert [i["diagnostics"] for i in outcome["issue"]] == [
        "`Patient/q` cannot be read: `birthDate` is not a valid date."
    ]


NOT_IN_XML = {
    "a wrong type": ({**FEVER, "clinicalStatus": "active"}, "clinicalStatus"),
    "an array": ({**FEVER, "clinicalStatus": [{"text": "x"}]}, "clinicalStatus"),
    "an unknown resource type": ({"resourceType": "Observatory", "id": "hay"}, "resourceType"),
    "no resource type": ({"id": "hay"}, "resourceType"),
}  # fmt: skip


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("odd", "element"), NOT_IN_XML.values(), ids=NOT_IN_XML.keys())
def test_what_only_json_can_say(
    client: FlaskClient, bundle: Bundle, odd: Json, element: str, endpoint: str
) -> None:
    response = client.post(endpoint, json=bundle(PATIENT, odd))
    assert response.status_code == 200, response.data
    ((severity, sentence),) = about(
        json.loads(response.data), f"Bundle.entry[1].resource.{element}"
    )
    assert severity == "warning"
    assert "was not used" in sentence


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_hundred_oddities_do_not_hide_what_is_left_out(
    client: FlaskClient, bundle: Bundle, endpoint: str
) -> None:
    odd = [{**practitioner(use="CURRENT"), "id": f"d{n}"} for n in range(150)]
    status, answer = post(client, endpoint, bundle(PATIENT, *odd, FEVER))
    assert status == 200
    assert len(about(answer, "Bundle.entry[151].resource.clinicalStatus")) == 1


def test_validate_is_as_strict_as_ever(client: FlaskClient, bundle: Bundle) -> None:
    status, outcome = post(client, "/fhir/Bundle/$validate", bundle(PATIENT, FEVER, MUTE))
    assert status == 200
    assert [s for s, _ in about(outcome, "Bundle.entry[1].resource.clinicalStatus")] == ["error"]
    assert [s for s, _ in about(outcome, "Bundle.entry[2].resource.status")] == ["error"]
