"""A request means one thing: to do or not to do, and one form of each choice.

https://hl7.org/fhir/R4/conformance-rules.html#isModifier and
https://hl7.org/fhir/R4/formats.html#choice
"""

from typing import Any

from small import OWN, activity, applied, fhirpath, plan

Json = dict[str, Any]
JOINED = [{"url": f"{OWN}/joined-as", "valueCode": "one"}]


def value(path: str, expression: str) -> Json:
    return {"path": path, "expression": fhirpath(expression)}


def requests(*definitions: Json) -> list[Json]:
    """Return the requests of a plan of which each action uses one definition, all joined."""
    actions = [
        {"id": d["id"], "title": d["id"], "definitionCanonical": d["url"], "extension": JOINED}
        for d in definitions
    ]
    contained = applied([plan(*actions), *definitions]).care_plan()["contained"]
    return [r for r in contained if r["resourceType"] == "ServiceRequest"]


def test_what_is_not_to_be_done_stays_apart_from_what_is() -> None:
    do, avoid = activity("do"), activity("avoid", doNotPerform=True)
    assert [r.get("doNotPerform") for r in requests(do, avoid, activity("also"))] == [None, True]


def test_a_joined_request_has_one_form_of_a_choice() -> None:
    moment = activity("one", dynamicValue=[value("occurrenceDateTime", "@2026-04-01")])
    period = activity("two", dynamicValue=[value("occurrencePeriod.start", "@2026-05-01")])
    (made,) = requests(moment, period)
    assert {k: v for k, v in made.items() if k.startswith("occurrence")} == {
        "occurrenceDateTime": "2026-04-01"
    }


def test_a_whole_request_laid_over_another_has_one_form_of_a_choice() -> None:
    given = "%patient.contained.where($this is ServiceRequest)"
    over = activity("x", timingDateTime="2026-04-01", dynamicValue=[value("$this", given)])
    sent = {"resourceType": "ServiceRequest", "id": "c", "occurrencePeriod": {"end": "2026-05-01"}}
    patient = {"resourceType": "Patient", "id": "p", "contained": [sent]}
    action = {"id": "a", "title": "A", "definitionCanonical": over["url"]}
    _, made = applied([plan(action), over], patient).care_plan()["contained"]
    assert (made["id"], made["occurrencePeriod"]) == ("x", {"end": "2026-05-01"})
    assert "occurrenceDateTime" not in made
