"""`$apply-pathways`: many patients in one Bundle, each answered for, whatever ails the others."""

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.formats import xml as xml_codec
from carepath.web.operations import apply_pathways as pathways_operation

ENDPOINT = "/fhir/$apply-pathways"
WALK = "https://example.org/fhir/PlanDefinition/walk|1.0.0"
Json = dict[str, Any]
Maker = Callable[..., FlaskClient]


def patient(id: str, **elements: Any) -> Json:
    return {"resourceType": "Patient", "id": id, "gender": "female", **elements}


def condition(id: str, subject: str, **elements: Any) -> Json:
    about = {"subject": {"reference": subject}, "code": {"text": "Tired"}}
    return {"resourceType": "Condition", "id": id, **about, **elements}


def bundle(*entries: Json, **elements: Any) -> Json:
    whole = [e if "resource" in e else {"resource": e} for e in entries]
    return {"resourceType": "Bundle", "type": "collection", **elements, "entry": whole}


def post(client: FlaskClient, body: Json, status: int = 200) -> Json:
    response = client.post(ENDPOINT, json=body)
    assert response.status_code == status, response.data
    answer: Json = json.loads(response.data)
    if status == 200:
        _is_valid(client, answer)
    return answer


def _is_valid(client: FlaskClient, answer: Json) -> None:
    """Hold the answer to what `$validate` knows: structure, and the invariants of R4."""
    found = json.loads(client.post("/fhir/Bundle/$validate", json=answer).data)["issue"]
    assert [i for i in found if i["severity"] in ("error", "fatal")] == []
    urls = [entry["fullUrl"] for entry in answer.get("entry", ())]
    assert len(urls) == len(set(urls))


def told(answer: Json) -> list[tuple[str, str, str]]:
    """Whom each entry is about, what it is, and of which plan or what is wrong."""
    found = []
    for entry in answer.get("entry", ()):
        resource, links = entry["resource"], entry.get("link", ())
        about = [link["url"] for link in links if link["relation"] == "about"]
        if resource["resourceType"] == "OperationOutcome":
            detail = resource["issue"][0].get("expression", [""])[0]
        else:
            assert [resource["subject"].get("reference")] == (about or [None])
            detail = resource["instantiatesCanonical"][0]
        found.append((about[0] if about else "", resource["resourceType"], detail))
    return found


def plan_for(subject: str) -> tuple[str, str, str]:
    return (subject, "CarePlan", WALK)


def broken(subject: str, element: str) -> tuple[str, str, str]:
    return (subject, "OperationOutcome", element)


P, Q = patient("p"), patient("q")
URN = "urn:uuid:7d1c5f0e-8a52-4b53-9d0a-5a7f3d1f0b11"
CASES: dict[str, tuple[Json, list[tuple[str, str, str]]]] = {
    "one patient, bare": (P, [plan_for("Patient/p")]),
    "two": (bundle(P, Q), [plan_for("Patient/p"), plan_for("Patient/q")]),
    "a patient whom no pathway concerns": (
        bundle(P, patient("m", gender="male")), [plan_for("Patient/p")]),
    "a patient with a condition, one without": (
        bundle(condition("c", "Patient/m"), patient("m", gender="male"),
               patient("n", gender="male")),
        [plan_for("Patient/m")],
    ),
    "the same patient twice": (bundle(P, P), [plan_for("Patient/p")]),
    "the same patient twice, by one full URL": (
        bundle({"fullUrl": "http://a.example/fhir/Patient/p", "resource": P},
               {"fullUrl": "http://a.example/fhir/Patient/p", "resource": P}),
        [plan_for("Patient/p")],
    ),
    "two patients with one id": (
        bundle({"fullUrl": "http://a.example/fhir/Patient/p", "resource": P},
               {"fullUrl": "http://b.example/fhir/Patient/p", "resource": {**P, "gender": "male"}},
               Q),
        # The other one is male, whom no pathway concerns.
        [plan_for("http://a.example/fhir/Patient/p"), plan_for("Patient/q")],
    ),
    "patients known by URN alone": (
        bundle({"fullUrl": URN, "resource": {"resourceType": "Patient", "gender": "male"}},
               condition("c", URN), Q),
        [plan_for(URN), plan_for("Patient/q")],
    ),
    "a patient without any name": (
        bundle({"resourceType": "Patient", "gender": "female"}, Q),
        [broken("", "Patient.id"), plan_for("Patient/q")],
    ),
    "the only patient, without any name": (
        {"resourceType": "Patient", "gender": "female"}, [plan_for("")]),
    "a message": (
        bundle({"resourceType": "MessageHeader", "eventCoding": {"code": "x"},
                "source": {"endpoint": "urn:x"}}, P, Q, type="message"),
        [plan_for("Patient/p"), plan_for("Patient/q")],
    ),
    "a batch": (
        bundle({"resource": P, "request": {"method": "PUT", "url": "Patient/p"}},
               {"resource": Q, "request": {"method": "PUT", "url": "Patient/q"}}, type="batch"),
        [plan_for("Patient/p"), plan_for("Patient/q")],
    ),
    "a Bundle in a Bundle": (bundle(P, bundle(Q)), [plan_for("Patient/p"), plan_for("Patient/q")]),
    "a broken Patient": (
        bundle(patient("p", gender=7), Q),
        [broken("Patient/p", "Bundle.entry[0].resource.gender"), plan_for("Patient/q")],
    ),
    "a broken Condition": (
        bundle(P, Q, condition("c", "Patient/q", code="C49")),
        [plan_for("Patient/p"), plan_for("Patient/q")],
    ),
    "a broken Condition of a patient known by URN": (
        bundle({"fullUrl": URN, "resource": {"resourceType": "Patient"}}, Q,
               condition("c", URN, code=7)),
        [plan_for(URN), plan_for("Patient/q")],
    ),
    "a broken Condition in a Bundle in a Bundle": (
        bundle(P, bundle(Q, condition("c", "Patient/q", code=7))),
        [plan_for("Patient/p"), plan_for("Patient/q")],
    ),
    "something broken that is everybody's": (
        bundle(P, Q, {"resourceType": "Organization", "name": 7}),
        [plan_for("Patient/p"), plan_for("Patient/q")],
    ),
    "two broken Patients of three": (
        bundle(patient("p", gender=7), Q, {"fullUrl": URN, "resource": {
            "resourceType": "Patient", "birthDate": "1970-02-30"}}),
        [broken("Patient/p", "Bundle.entry[0].resource.gender"), plan_for("Patient/q"),
         broken(URN, "Bundle.entry[2].resource.birthDate")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("is_wrapped", [False, True], ids=["bare", "Parameters"])
@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES.keys())
def test_each_patient_is_answered_for(
    client: FlaskClient, data: Json, expected: list[tuple[str, str, str]], is_wrapped: bool
) -> None:
    if is_wrapped:
        data = data if data["resourceType"] == "Bundle" else bundle(data)
        inner = {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": bundle(P)}]}
        parts = [{"name": "parameters", "resource": inner}, {"name": "data", "resource": data}]
        answer = post(client, {"resourceType": "Parameters", "parameter": parts})
        expected = [
            (about, kind, detail.replace("Bundle", "Parameters.parameter[1].resource", 1))
            for about, kind, detail in expected
        ]
    else:
        answer = post(client, data)
    assert told(answer) == expected


LEFT_OUT: dict[str, tuple[Json, list[str], str]] = {
    "a Condition": (
        condition("c", "Patient/q", code="C49"), ["Patient/q"], "resource.code"),
    "a Condition whose subject is what is broken": (
        {**condition("c", ""), "subject": {"reference": 7}}, ["Patient/p", "Patient/q"],
        "resource.subject.reference"),
    "a Condition of somebody who is not here": (
        condition("c", "Patient/elsewhere", code=7), ["Patient/p", "Patient/q"], "resource.code"),
    "what is everybody's": (
        {"resourceType": "Organization", "name": 7}, ["Patient/p", "Patient/q"], "resource.name"),
    "what has no type": (
        {"resource": {"id": "x"}}, ["Patient/p", "Patient/q"], "resource.resourceType"),
}  # fmt: skip


@pytest.mark.parametrize(("odd", "told_to", "element"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_those_whom_it_may_concern_are_told_what_is_left_out(
    client: FlaskClient, odd: Json, told_to: list[str], element: str
) -> None:
    answer = post(client, bundle(P, Q, odd))
    assert [about for about, _, _ in told(answer)] == ["Patient/p", "Patient/q"]
    found = []
    for entry in answer["entry"]:
        outcomes = [r for r in entry["resource"]["contained"] if "issue" in r]
        issues = [issue for outcome in outcomes for issue in outcome["issue"]]
        left_out = [i for i in issues if "was not used" in i["diagnostics"]]
        assert {i["severity"] for i in left_out} <= {"warning"}
        assert [i["expression"] for i in left_out] in ([], [[f"Bundle.entry[2].{element}"]])
        found += [entry["link"][0]["url"]] * len(left_out)
    assert found == told_to


@pytest.mark.parametrize(
    ("data", "element"),
    [
        ({**bundle(P, Q), "entry": [{"resource": P}, "Q"]}, "Bundle.entry[1]"),
        (bundle(patient("p", gender=7)), "Bundle.entry[0].resource.gender"),
    ],
    ids=["no entry", "the only Patient"],
)
def test_what_leaves_nobody_to_answer_for_is_refused(
    client: FlaskClient, data: Json, element: str
) -> None:
    outcome = post(client, data, 422)
    assert outcome["issue"][0]["expression"][0].startswith(element)


def test_remarks_stay_with_their_patient(client: FlaskClient) -> None:
    answer = post(client, bundle(patient("p", colour="red"), patient("q", colour="blue")))
    for n, entry in enumerate(answer["entry"]):
        outcome = next(
            r for r in entry["resource"]["contained"] if r["resourceType"] == "OperationOutcome"
        )
        named = [path for i in outcome["issue"] for path in i.get("expression", ())]
        assert f"Bundle.entry[{n}].resource.colour" in named
        assert f"Bundle.entry[{1 - n}].resource.colour" not in named


def test_a_fault_of_ours_costs_no_other_patient(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pathways_operation.apply_plan

    def faulty(request: Any, knowledge: Any) -> Any:
        if request.subject == "Patient/p":
            raise RuntimeError("secret")
        return real(request, knowledge)

    monkeypatch.setattr(pathways_operation, "apply_plan", faulty)
    answer = post(client, bundle(P, Q))
    kinds = [(about, kind) for about, kind, _ in told(answer)]
    assert kinds[0] == ("Patient/p", "OperationOutcome")
    assert kinds[-1] == ("Patient/q", "CarePlan")
    assert "secret" not in json.dumps(answer)
    assert "Patient/p" in answer["entry"][0]["resource"]["issue"][0]["diagnostics"]


def test_people_and_parameters_are_read_once_for_all(client: FlaskClient) -> None:
    parts = [
        {"name": "data", "resource": bundle(P, Q)},
        {"name": "practitioner", "valueString": "Practitioner/d"},
    ]
    answer = post(client, {"resourceType": "Parameters", "parameter": parts})
    assert {e["resource"]["author"]["reference"] for e in answer["entry"]} == {"Practitioner/d"}
    nameless = {"resourceType": "Parameters", "parameter": [{"name": "a"}]}
    parts.append({"name": "parameters", "resource": nameless})
    outcome = post(client, {"resourceType": "Parameters", "parameter": parts}, 400)
    assert "parameters.a" in outcome["issue"][0]["diagnostics"]


def test_xml_gives_the_same(client: FlaskClient) -> None:
    data = bundle(P, Q)
    headers = {"Content-Type": "application/fhir+xml"}
    response = client.post(ENDPOINT, data=xml_codec.encode(data), headers=headers)
    assert xml_codec.decode(response.data) == post(client, data)


def _absolute(n: int) -> list[Json]:
    return [patient(f"p{n}"), condition(f"c{n}", f"https://a.example/fhir/Patient/p{n}")]


def _by_display(n: int) -> list[Json]:
    named = patient(f"p{n}", name=[{"family": f"Family{n}"}])
    about = {"subject": {"display": f"Family{n}, Anna"}}
    return [named, {**condition(f"c{n}", ""), **about}]


def _deleted(n: int) -> list[Json]:
    request = {"method": "DELETE", "url": f"Observation?identifier=urn:x|{n}"}
    gone = {"resource": condition(f"d{n}", f"Patient/p{n}"), "request": request}
    return [patient(f"p{n}"), condition(f"c{n}", f"Patient/p{n}"), gone]


# What of each patient is sent; none of it concerns another one.
MANY: dict[str, Callable[[int], list[Json]]] = {
    "plain": lambda n: [patient(f"p{n}"), condition(f"c{n}", f"Patient/p{n}")],
    "by addresses": _absolute,
    "by displays": _by_display,
    "odd patients": lambda n: [patient(f"p{n}", colour="red")],
    "left out": lambda n: [patient(f"p{n}"), condition(f"c{n}", f"Patient/p{n}", onsetAge="x")],
    "with deletions": _deleted,
}


SOON = ("plain", "with deletions")
"""The kinds that the short run tries; the others are slow and find the same sort of fault."""


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=() if name in SOON else pytest.mark.slow)
        for name, make in MANY.items()
    ],
)
def test_hundreds_of_patients_take_time_in_proportion(
    make_client: Maker, make: Callable[[int], list[Json]]
) -> None:
    client = make_client()

    def seconds(count: int) -> float:
        data = json.dumps(bundle(*(r for n in range(count) for r in make(n)))).encode()
        # The collector would look through all that the tests before this one left.
        gc.collect()
        gc.disable()
        try:
            started = time.process_time()
            response = client.post(ENDPOINT, data=data, content_type="application/fhir+json")
            passed = time.process_time() - started
        finally:
            gc.enable()
        answer = json.loads(response.data)
        assert [about for about, _, _ in told(answer)] == [f"Patient/p{n}" for n in range(count)]
        return passed

    seconds(20)
    few, many = seconds(50), seconds(400)
    assert many < 8 * few * 2
