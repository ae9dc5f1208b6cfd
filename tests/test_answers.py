"""What holds for the answer to every case, and for patients a little different from them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carepath.apply import Applied
from carepath.authoring.cases import Case, run_case

from .answers import BY_FOLDER, CASES, KNOWLEDGE, answer

LISTED = sorted(name for name, case in CASES.items() if isinstance(case.given, list))
DISCLAIMER = "Decision support for qualified clinicians."
DOSE_ELEMENT = re.compile(r"dos(e|age)|rateRatio|rateQuantity|dispenseRequest", re.IGNORECASE)
DOSE_TEXT = re.compile(r"\d\s*(mg|mcg|µg|gy|iu|milligram|gray|g/m)(?![a-z])", re.IGNORECASE)
few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def doses(element: Any) -> Iterator[str]:
    """Yield each element that could hold a dose and each text that names one."""
    if isinstance(element, dict):
        for key, value in element.items():
            if DOSE_ELEMENT.search(key):
                yield key
            yield from doses(value)
    elif isinstance(element, list):
        for item in element:
            yield from doses(item)
    elif isinstance(element, str) and DOSE_TEXT.search(element):
        yield element


def requests(care_plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the CarePlan and every request contained in it."""
    yield care_plan
    for resource in care_plan["contained"]:
        if resource["resourceType"] not in ("Goal", "OperationOutcome"):
            yield resource


def assert_safe(applied: Applied) -> None:
    """Hold an answer to what every answer must be: a proposal, with a disclaimer, without dose."""
    care_plan = applied.care_plan()
    assert list(doses(care_plan)) == []
    assert any(DISCLAIMER in note["text"] for note in care_plan["note"])
    assert DISCLAIMER in care_plan["text"]["div"]
    for request in requests(care_plan):
        kind = request["resourceType"]
        assert request["status"] == ("proposed" if kind == "Appointment" else "draft"), kind
        assert kind == "Appointment" or "intent" in request or kind == "CommunicationRequest"
        assert request.get("intent", "proposal") in ("proposal", "option"), kind


@pytest.mark.parametrize("folder", BY_FOLDER)
def test_every_answer_is_safe(folder: str) -> None:
    for name in BY_FOLDER[folder]:
        assert_safe(answer(name))


@pytest.mark.parametrize("folder", BY_FOLDER)
def test_every_undetermined_decision_is_reported(folder: str) -> None:
    """An issue names it, or the undetermined group that it stands below."""
    names = BY_FOLDER[folder]
    assert {name: found for name in names if (found := not_reported(answer(name)))} == {}


def not_reported(applied: Applied) -> list[Any]:
    told = [issue.as_element() for issue in applied.issues]
    places = {place for issue in told for place in issue.get("expression", ())}
    return [
        decision
        for decision in applied.decisions
        if decision.outcome == "undetermined"
        and not (
            any(f"{decision.path}/".startswith(f"{place}/") for place in places)
            and decision.request is None
            and (decision.missing or decision.because)
        )
    ]


@pytest.mark.parametrize(
    "planted",
    [
        {"dosageInstruction": []},
        {"ingredient": {"doseQuantity": {"value": 4}}},
        {"text": "400 mg daily"},
        {"payload": [{"contentString": "in all 50.4 Gy"}]},
    ],
)
def test_a_dose_is_found(planted: dict[str, Any]) -> None:
    assert list(doses({"contained": [planted]})) != []


CONFLICTS = {
    "C1": ("mst-localised/resected-high-grade", "disagree on chemotherapy after surgery"),
    "C2": ("mst-rms-ewing/large-rhabdomyosarcoma", "disagree on chemotherapy before surgery"),
    "C3": ("mst-os-surgery/limb-cannot-be-saved", "different reasons for amputation"),
    "C4": ("mst-gist/two-centimetres", "exactly 2.0 cm belongs to resection"),
    "C5": ("mst-localised/difficult-site", "No source says what large"),
    "C6": ("mst-localised/resected-high-grade", "three reasons for radiotherapy after surgery"),
    "C7": ("mst-advanced/other-sarcoma", "rank treatments of metastatic disease differently"),
    "C8": ("mst-followup/high-grade", "a chest X-ray at each visit (S0-49)"),
    "C9": ("mst-followup/intermediate-grade", "No source covers intermediate grade"),
    "C10": ("mst-gist/resected-high-risk", "both, each under its own condition"),
    "C11": ("mst-gist/liver-metastases", "at most one is chosen, in no order"),
    "C12": ("mst-gist/no-decision-of-the-tumour-board", "S1-53 names three members of the team"),
    "C13": ("mst-recurrence/local-recurrence", "all three are options"),
    "C14": ("mst-mesenchymoma/thigh-operable", "still studied in malignant mesenchymoma"),
    "C15": ("mst-localised/large-deep-high-grade-thigh", "the goal is R0"),
    "C16": ("mst-localised/difficult-site", "(S1-26) can be read in two ways"),
    "C17": ("mst-suspicion/child-with-abdominal-swelling", "age never excludes a patient"),
    "C18": ("mst-os-radiotherapy/mesenchymoma-after-r0", "who is offered radiotherapy around"),
    "C19": ("mst-os-radiotherapy/silent-bone-metastases", "differ on radiotherapy of metastases"),
    "C20": ("mst-gist/kit-wild-type-pdgfra-untested", "lets KIT and PDGFRA guide therapy"),
}


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_the_reader_of_a_plan_sees_where_sources_disagree(conflict: str) -> None:
    name, words = CONFLICTS[conflict]
    assert words in answer(name).care_plan()["text"]["div"]


def changed(name: str, resources: list[Any]) -> Applied:
    """Return the answer to a case with other resources."""
    case: Case = CASES[name]
    return run_case(type(case)(**{**case.__dict__, "given": resources}), KNOWLEDGE)


def outcomes(applied: Applied) -> list[tuple[str, str, tuple[str, ...], str | None]]:
    """Return what was decided, without the order in which resources are named."""
    return [(d.path, d.outcome, tuple(sorted(d.missing)), d.request) for d in applied.decisions]


@few
@given(name=st.sampled_from(LISTED), data=st.data())
def test_any_resource_can_be_missing(name: str, data: st.DataObject) -> None:
    """Without one of its resources a record still gives a safe answer that asks or proposes."""
    resources = CASES[name].given
    lost = data.draw(st.integers(0, len(resources) - 1))
    kept = [resource for index, resource in enumerate(resources) if index != lost]
    if any(resource["resourceType"] == "Patient" for resource in kept):
        assert_safe(changed(name, kept))


@few
@given(name=st.sampled_from(LISTED), data=st.data())
def test_the_order_of_resources_does_not_matter(name: str, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(CASES[name].given))
    assert outcomes(changed(name, shuffled)) == outcomes(answer(name))


@few
@given(name=st.sampled_from(LISTED))
def test_no_tumour_no_plan(name: str) -> None:
    """Without any Condition and any finding that names the tumour nothing is proposed."""
    kept = [r for r in CASES[name].given if r["resourceType"] in ("Patient", "Procedure")]
    applied = changed(name, kept)
    assert [d.path for d in applied.decisions if d.request] == []
