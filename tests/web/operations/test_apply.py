"""`$apply` over HTTP: who may ask how, and what is refused by name.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.formats import xml as xml_codec

WALK = "/fhir/PlanDefinition/walk"
URL = "https://example.org/fhir"
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1990-02-28"}
OTHER = {"resourceType": "Patient", "id": "q", "gender": "male"}

Json = dict[str, Any]
Bundle = Callable[..., Json]


def parameters(*parts: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(parts)}


def text(name: str, value: str) -> Json:
    return {"name": name, "valueString": value}


def post(client: FlaskClient, url: str, body: Json | None, **options: Any) -> tuple[int, Json]:
    data = b"" if body is None else json.dumps(body).encode()
    options.setdefault("content_type", "application/fhir+json")
    response = client.post(url, data=data, **options)
    answer: Json = json.loads(response.data)
    return response.status_code, answer


def contained(care_plan: Json, resource_type: str) -> list[Json]:
    return [r for r in care_plan["contained"] if r["resourceType"] == resource_type]


@pytest.mark.parametrize("shape", ["Parameters", "bare Bundle", "bare Patient"])
def test_data_comes_in_three_shapes(client: FlaskClient, bundle: Bundle, shape: str) -> None:
    bodies = {
        "Parameters": parameters({"name": "data", "resource": bundle(PATIENT)}),
        "bare Bundle": bundle(PATIENT),
        "bare Patient": PATIENT,
    }
    status, answer = post(client, f"{WALK}/$apply", bodies[shape])
    assert (status, answer["resourceType"]) == (200, "CarePlan")
    assert answer["subject"]["reference"] == "Patient/p"
    assert contained(answer, "ServiceRequest")[0]["code"]["text"] == "A stroll in the park"
    assert "id" not in answer  # what is not stored has no id


@pytest.mark.parametrize(
    "bundle_type", ["collection", "batch", "transaction", "message", "searchset"]
)
def test_bundles_of_every_type(client: FlaskClient, bundle: Bundle, bundle_type: str) -> None:
    status, answer = post(client, f"{WALK}/$apply", {**bundle(PATIENT), "type": bundle_type})
    assert (status, answer["resourceType"]) == (200, "CarePlan")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/fhir+json; charset=UTF-8"]
)
def test_content_types(client: FlaskClient, bundle: Bundle, content_type: str) -> None:
    status, _ = post(client, f"{WALK}/$apply", bundle(PATIENT), content_type=content_type)
    assert status == 200


def test_gzip_in(client: FlaskClient, bundle: Bundle) -> None:
    packed = gzip.compress(json.dumps(bundle(PATIENT)).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/fhir+json"}
    assert client.post(f"{WALK}/$apply", data=packed, headers=headers).status_code == 200


def test_the_same_request_gives_the_same_bytes(client: FlaskClient, bundle: Bundle) -> None:
    answers = {client.post(f"{WALK}/$apply", json=bundle(PATIENT)).data for _ in range(3)}
    assert len(answers) == 1


@pytest.mark.parametrize("operation", ["$apply", "%24apply", "$r5.apply"])
def test_instance_level(client: FlaskClient, bundle: Bundle, operation: str) -> None:
    status, answer = post(client, f"{WALK}/{operation}", bundle(PATIENT))
    assert status == 200
    assert answer["resourceType"] == ("Bundle" if "r5" in operation else "CarePlan")


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ([text("url", f"{URL}/PlanDefinition/walk")], "1.0.0"),
        ([{"name": "url", "valueUri": f"{URL}/PlanDefinition/walk"}], "1.0.0"),
        ([{"name": "canonical", "valueCanonical": f"{URL}/PlanDefinition/walk"}], "1.0.0"),
        ([{"name": "canonical", "valueCanonical": f"{URL}/PlanDefinition/walk|0.9.0"}], "0.9.0"),
        ([text("url", f"{URL}/PlanDefinition/walk"), text("version", "0.9.0")], "0.9.0"),
    ],
    ids=["url", "valueUri", "canonical", "canonical with version", "url and version"],
)
def test_type_level(client: FlaskClient, bundle: Bundle, given: list[Json], canonical: str) -> None:
    body = parameters(*given, {"name": "data", "resource": bundle(PATIENT)})
    status, answer = post(client, "/fhir/PlanDefinition/$apply", body)
    assert status == 200
    assert answer["instantiatesCanonical"] == [f"{URL}/PlanDefinition/walk|{canonical}"]


def test_type_level_with_the_plan_itself(client: FlaskClient, bundle: Bundle) -> None:
    plan = {
        "resourceType": "PlanDefinition",
        "id": "own",
        "url": "urn:own",
        "status": "draft",
        "action": [{"id": "look", "title": "Look"}],
    }
    body = parameters(
        {"name": "planDefinition", "resource": plan}, {"name": "data", "resource": bundle(PATIENT)}
    )
    status, answer = post(client, "/fhir/PlanDefinition/$apply", body)
    assert status == 200
    assert contained(answer, "RequestGroup")[0]["action"][0]["title"] == "Look"


def test_type_level_with_a_bare_bundle_and_the_plan_in_the_url(
    client: FlaskClient, bundle: Bundle
) -> None:
    url = f"/fhir/PlanDefinition/$apply?url={URL}/PlanDefinition/walk&subject=Patient/q"
    status, answer = post(client, url, bundle(PATIENT, OTHER))
    assert (status, answer["subject"]["reference"]) == (200, "Patient/q")


@pytest.mark.parametrize(
    "subject",
    [
        text("subject", "Patient/q"),
        {"name": "subject", "valueUri": "Patient/q"},
        {"name": "subject", "valueReference": {"reference": "Patient/q"}},
    ],
    ids=["string", "uri", "Reference"],
)
def test_subject_chooses_the_patient(client: FlaskClient, bundle: Bundle, subject: Json) -> None:
    body = parameters(subject, {"name": "data", "resource": bundle(PATIENT, OTHER)})
    status, answer = post(client, f"{WALK}/$apply", body)
    assert (status, answer["subject"]["reference"]) == (200, "Patient/q")
    assert contained(answer, "ServiceRequest") == []


def test_people_and_prefetch(client: FlaskClient, bundle: Bundle) -> None:
    prefetch = {
        "name": "prefetchData",
        "part": [text("key", "patient"), {"name": "data", "resource": bundle(PATIENT)}],
    }
    body = parameters(
        prefetch, text("practitioner", "Practitioner/d"), text("encounter", "Encounter/e")
    )
    status, answer = post(client, f"{WALK}/$apply", body)
    assert status == 200
    assert answer["author"]["reference"] == "Practitioner/d"
    assert answer["encounter"]["reference"] == "Encounter/e"


def test_r5_apply_answers_for_several_subjects(client: FlaskClient, bundle: Bundle) -> None:
    body = parameters(
        text("subject", "Patient/p"),
        text("subject", "Patient/q"),
        {"name": "data", "resource": bundle(PATIENT, OTHER)},
    )
    status, answer = post(client, f"{WALK}/$r5.apply", body)
    assert (status, answer["resourceType"]) == (200, "Parameters")
    assert [p["name"] for p in answer["parameter"]] == ["return", "return"]
    groups = [p["resource"]["entry"][0]["resource"] for p in answer["parameter"]]
    assert [g["resourceType"] for g in groups] == ["RequestGroup", "RequestGroup"]
    assert [g["subject"]["reference"] for g in groups] == ["Patient/p", "Patient/q"]


def test_activity_definition_apply(client: FlaskClient, bundle: Bundle) -> None:
    at_instance = post(client, "/fhir/ActivityDefinition/stroll/$apply", bundle(PATIENT))
    body = parameters(
        text("url", f"{URL}/ActivityDefinition/stroll"),
        {"name": "data", "resource": bundle(PATIENT)},
    )
    at_type = post(client, "/fhir/ActivityDefinition/$apply", body)
    assert at_instance == at_type
    assert at_instance[0] == 200
    assert at_instance[1]["resourceType"] == "ServiceRequest"


def test_apply_pathways(client: FlaskClient, bundle: Bundle) -> None:
    """One CarePlan for each patient and top-level plan that concerns the patient."""
    status, answer = post(client, "/fhir/$apply-pathways", bundle(PATIENT, OTHER))
    assert (status, answer["type"]) == (200, "collection")
    made = [
        (r["resourceType"], r["subject"]["reference"], r["instantiatesCanonical"][0])
        for r in (entry["resource"] for entry in answer["entry"])
    ]
    assert made == [("CarePlan", "Patient/p", f"{URL}/PlanDefinition/walk|1.0.0")]


REFUSED: list[Any] = [
    pytest.param("$apply", None, 400, "data", ("http.data",), id="nothing at all"),
    pytest.param("$apply", {"resourceType": "Bundle", "type": "collection"}, 400, "data",
                 ("Bundle",), id="no Patient"),
    pytest.param("$apply", "two", 400, "subject", ("Bundle",), id="two Patients without subject"),
    pytest.param("$apply", parameters(text("subject", "Patient/x")), 404, "Patient/x",
                 ("Parameters.parameter[0]",), id="subject without data"),
    pytest.param("$apply", "other", 404, "Patient/x", ("Parameters.parameter[0]",),
                 id="subject not in the bundle"),
    pytest.param("$apply", "twice", 400, "$r5.apply", ("Parameters.parameter[0]",),
                 id="several subjects in R4"),
    pytest.param("$apply", parameters(text("patient", "Patient/p")), 400, "patient",
                 ("Parameters.parameter[0]",), id="unknown parameter"),
    pytest.param("$apply?patient=x", None, 400, "patient", ("http.patient",),
                 id="unknown parameter in the URL"),
    pytest.param("$apply", parameters({"name": "contentEndpoint"}), 400, "contentEndpoint",
                 ("Parameters.parameter[0]",), id="contentEndpoint"),
    pytest.param("$apply", parameters({"name": "terminologyEndpoint"}), 400, "terminologyEndpoint",
                 ("Parameters.parameter[0]",), id="terminologyEndpoint"),
    pytest.param("$apply", parameters(text("mergeNestedCarePlans", "no")), 400,
                 "mergeNestedCarePlans", ("Parameters.parameter[0]",), id="mergeNestedCarePlans"),
    pytest.param("$apply", parameters({"name": "useServerData", "valueBoolean": True}), 400,
                 "useServerData", ("Parameters.parameter[0]",), id="useServerData"),
    pytest.param("$apply", parameters(text("useServerData", "yes")), 400, "useServerData",
                 ("Parameters.parameter[0]",), id="a truth value as text"),
    pytest.param("$apply", parameters(text("url", "urn:x")), 400, "url",
                 ("Parameters.parameter[0]",), id="a plan at instance level"),
    pytest.param("$apply", parameters({"name": "data", "resource": PATIENT}), 400, "data",
                 ("Parameters.parameter[0]",), id="data that is no Bundle"),
    pytest.param("$apply", parameters({"name": "data", "valueString": "x"}), 400, "data",
                 ("Parameters.parameter[0]",), id="data that is text"),
    pytest.param("$apply", parameters({"name": "subject", "valueBoolean": True}), 400, "subject",
                 ("Parameters.parameter[0]",), id="subject of a wrong type"),
    pytest.param("$apply", parameters(text("setting", "x")), 400, "setting",
                 ("Parameters.parameter[0]",), id="a concept as text"),
    pytest.param("$apply?setting=x", None, 400, "setting", ("http.setting",),
                 id="a concept in the URL"),
    pytest.param("$apply", parameters({"name": "prefetchData", "part": [text("colour", "x")]}), 400,
                 "prefetchData.colour", ("Parameters.parameter[0].part[0]",), id="an unknown part"),
    pytest.param("$apply", parameters({"name": "prefetchData", "valueString": "x"}), 400,
                 "`prefetchData` is `valueString`", ("Parameters.parameter[0]",),
                 id="a value where parts are wanted"),
    pytest.param("$apply", parameters({"name": "prefetchData"}), 400, "`prefetchData` is missing",
                 ("Parameters.parameter[0]",), id="no parts at all"),
    pytest.param("$apply", parameters({"name": "prefetchData", "part": [
                     text("key", "a"), {"name": "data", "resource": PATIENT}]}), 400,
                 "`prefetchData.data` is `Patient`", ("Parameters.parameter[0].part[1]",),
                 id="a part of a wrong type"),
    pytest.param("$apply", parameters({"name": "prefetchData", "part": [
                     text("key", "a"), text("key", "b")]}), 400,
                 "`prefetchData.key` is `given more than once`",
                 ("Parameters.parameter[0].part[0]",), id="a part given twice"),
    pytest.param("$apply", parameters({"name": "prefetchData", "part": [
                     {"name": "key", "valueBoolean": True}]}), 400,
                 "`prefetchData.key` is `valueBoolean`", ("Parameters.parameter[0].part[0]",),
                 id="a part with a wrong kind of value"),
    pytest.param("$apply", parameters({"name": "subject", "valueString": "Patient/p",
                                       "resource": PATIENT}), 400,
                 "`valueString and resource`", ("Parameters.parameter[0]",),
                 id="a value and a resource"),
    pytest.param("$apply", parameters({"name": "subject", "valueString": "Patient/p",
                                       "valueUri": "Patient/q"}), 400,
                 "`valueString and valueUri`", ("Parameters.parameter[0]",), id="two values"),
    pytest.param("$apply", parameters({"name": "data", "valueBundle": {}}), 400,
                 "`data` is `valueBundle`", ("Parameters.parameter[0]",),
                 id="a resource as if it were a value"),
    pytest.param("$apply?subject=", None, 400, "`subject`", ("http.subject",),
                 id="an empty parameter in the URL"),
    pytest.param("$apply", parameters(), 400, "data", ("Parameters.parameter",),
                 id="empty Parameters"),
    pytest.param("$apply", {"resourceType": "Parameters", "parameter": [{"valueString": "x"}]}, 400,
                 "name", ("Parameters.parameter",), id="a parameter without a name"),
    pytest.param("$apply", "nameless", 400, "a name", ("Parameters.parameter[1]",),
                 id="a content parameter without a name"),
    pytest.param("$apply", parameters({"name": "userType", "valueString": "x"}), 400,
                 "`userType` is `valueString`", ("Parameters.parameter[0]",),
                 id="a wrong type is not called missing"),
    pytest.param("$apply", "wrong type", 422, "`Patient/p` cannot be read: `birthDate`",
                 ("Bundle.entry[0].resource.birthDate",), id="the only Patient cannot be read"),
    pytest.param("$apply", {"resourceType": "Observatory"}, 422, "resourceType", None,
                 id="an unknown resource type"),
]  # fmt: skip


def _body(name: Any, bundle: Bundle) -> Json | None:
    data = {"name": "data", "resource": bundle(PATIENT)}
    subject = text("subject", "Patient/p")
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/p"}}
    nameless = parameters({"valueDecimal": 1})
    bodies = {
        "two": bundle(PATIENT, OTHER),
        "other": parameters(text("subject", "Patient/x"), data),
        "twice": parameters(subject, subject, data),
        "wrong type": bundle({**PATIENT, "birthDate": 1990}, condition),
        "nameless": parameters(data, {"name": "parameters", "resource": nameless}),
    }
    return bodies[name] if isinstance(name, str) else name


@pytest.mark.parametrize(("operation", "body", "status", "said", "elements"), REFUSED)
def test_refused_by_name(  # noqa: PLR0917  one argument for each column
    client: FlaskClient,
    bundle: Bundle,
    operation: str,
    body: Any,
    status: int,
    said: str,
    elements: tuple[str, ...] | None,
) -> None:
    answered, outcome = post(client, f"{WALK}/{operation}", _body(body, bundle))
    assert (answered, outcome["resourceType"]) == (status, "OperationOutcome")
    issue = outcome["issue"][0]
    assert said in issue["diagnostics"]
    if elements is not None:
        assert tuple(issue.get("expression", ())) == elements
    assert post(client, f"{WALK}/$apply", bundle(PATIENT))[0] == 200  # the next request works


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("encounter", "Patient/p", "Encounter/123"),
        ("practitioner", "Dr. House", "Practitioner/123"),
        ("practitioner", "<b>", "Practitioner/123"),
        ("organization", "http://a.example/Practitioner/1/_history/2", "Organization/123"),
    ],
)
def test_people_are_what_their_parameter_says(
    client: FlaskClient, bundle: Bundle, name: str, value: str, expected: str
) -> None:
    body = parameters({"name": "data", "resource": bundle(PATIENT)}, text(name, value))
    status, outcome = post(client, f"{WALK}/$apply", body)
    assert status == 400
    assert expected in outcome["issue"][0]["diagnostics"]
    assert outcome["issue"][0]["expression"] == ["Parameters.parameter[1]"]


def test_two_patients_are_listed(client: FlaskClient, bundle: Bundle) -> None:
    _, outcome = post(client, f"{WALK}/$apply", bundle(PATIENT, OTHER))
    assert "`Patient/p`, `Patient/q`" in outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("url", "body", "status"),
    [
        ("/fhir/PlanDefinition/unknown/$apply", "data", 404),
        (f"/fhir/PlanDefinition/$apply?url={URL}/PlanDefinition/unknown", "data", 404),
        (f"/fhir/PlanDefinition/$apply?url={URL}/ActivityDefinition/stroll", "data", 404),
        ("/fhir/PlanDefinition/$apply", "data", 400),
        (f"/fhir/PlanDefinition/$apply?url={URL}/PlanDefinition/walk&canonical=urn:x", "data", 400),
        (f"/fhir/PlanDefinition/$apply?url={URL}/PlanDefinition/walk|1.0.0&version=2", "data", 400),
        ("/fhir/$apply-pathways", None, 400),
        ("/fhir/$apply-pathways", {"resourceType": "Bundle", "type": "collection"}, 400),
    ],
)
def test_unknown_or_missing_plan_or_data(
    client: FlaskClient, bundle: Bundle, url: str, body: Any, status: int
) -> None:
    answered, outcome = post(client, url, bundle(PATIENT) if body == "data" else body)
    assert answered == status
    assert outcome["issue"][0]["severity"] == "error"


def test_get_is_refused_where_something_cannot_stand_in_a_url(client: FlaskClient) -> None:
    assert client.get("/fhir/$apply-pathways").status_code == 405
    response = client.get(f"{WALK}/$apply?subject=Patient/p")
    assert response.status_code == 404
    assert json.loads(response.data)["issue"][0]["expression"] == ["http.subject"]


def test_lenient_warnings_are_in_the_answer(client: FlaskClient, bundle: Bundle) -> None:
    odd = {**PATIENT, "colour": "red"}
    status, answer = post(client, f"{WALK}/$apply", bundle(odd))
    assert status == 200
    issues = [i for o in contained(answer, "OperationOutcome") for i in o["issue"]]
    assert any("Bundle.entry[0].resource.colour" in i.get("expression", ()) for i in issues)
    assert all(i["severity"] in ("warning", "information") for i in issues)


def test_xml_in_and_out(client: FlaskClient, bundle: Bundle) -> None:
    """The same plan whatever the format of either side; `_format` leaves the body alone."""
    plain = client.post(f"{WALK}/$apply", json=bundle(PATIENT))
    as_xml = {"Content-Type": "application/fhir+xml"}
    sent = xml_codec.encode(bundle(PATIENT))
    for headers, url in (
        (as_xml, f"{WALK}/$apply"),  # no Accept: the answer mirrors the body
        ({**as_xml, "Accept": "application/fhir+xml"}, f"{WALK}/$apply"),
        ({**as_xml, "Accept": "application/fhir+json"}, f"{WALK}/$apply?_format=xml"),
    ):
        answer = client.post(url, data=sent, headers=headers)
        assert answer.status_code == 200, answer.data
        assert answer.content_type == "application/fhir+xml; charset=utf-8"
        assert xml_codec.decode(answer.data) == json.loads(plain.data)
    mixed = client.post(f"{WALK}/$apply?_format=json", data=sent, headers=as_xml)
    assert mixed.data == plain.data


@pytest.mark.parametrize(
    "data",
    [
        b"<Bundle",
        b'<Bundle xmlns="urn:other"/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Bundle xmlns="http://hl7.org/fhir">&e;</Bundle>',
        b"<?xml version='1.0'?>",
        b"{}",
    ],
    ids=["cut off", "another namespace", "an entity", "nothing", "JSON"],
)
def test_xml_that_cannot_be_read(client: FlaskClient, data: bytes) -> None:
    headers = {"Content-Type": "application/fhir+xml", "Accept": "application/fhir+json"}
    response = client.post(f"{WALK}/$apply", data=data, headers=headers)
    assert response.status_code in (400, 422)
    assert json.loads(response.data)["resourceType"] == "OperationOutcome"
    assert b"root:" not in response.data


def test_text_plain_where_the_deployment_says_so(
    make_client: Callable[..., FlaskClient], bundle: Bundle
) -> None:
    client = make_client(accept_text_plain=True)
    options = {"content_type": "text/plain; charset=UTF-8"}
    assert post(client, f"{WALK}/$apply", bundle(PATIENT), **options)[0] == 200


def test_deployment_parameters_give_way_to_those_of_the_request(
    make_client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    plan = {
        "resourceType": "PlanDefinition",
        "url": "urn:limit",
        "status": "draft",
        "action": [
            {
                "id": "far",
                "title": "Far",
                "condition": [
                    {
                        "kind": "applicability",
                        "expression": {"language": "text/fhirpath", "expression": "%limit > 5.0"},
                    }
                ],
            }
        ],
    }
    file = tmp_path / "parameters.json"
    file.write_text('{"limit": 7.50}', "utf-8")
    client = make_client(parameters=str(file))

    def actions(*more: Json) -> int:
        data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
        body = parameters(
            {"name": "planDefinition", "resource": plan}, {"name": "data", "resource": data}, *more
        )
        status, answer = post(client, "/fhir/PlanDefinition/$apply", body)
        assert status == 200, answer
        return len(contained(answer, "RequestGroup")[0].get("action", ()))

    low = parameters({"name": "limit", "valueDecimal": 1.5})
    assert actions() == 1
    assert actions({"name": "parameters", "resource": low}) == 0


@pytest.mark.parametrize("accept", ["application/fhir+json", "application/fhir+xml"])
def test_a_refusal_quotes_what_no_format_can_hold(
    client: FlaskClient, bundle: Bundle, accept: str
) -> None:
    sent = parameters(
        text("subject", "\x01\uffff<b>"), {"name": "data", "resource": bundle(PATIENT)}
    )
    response = client.post(f"{WALK}/$apply", json=sent, headers={"Accept": accept})
    assert response.status_code == 404
    assert response.content_type.startswith(accept)
    assert "\ufffd" in response.text
