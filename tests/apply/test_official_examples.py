"""The official R4 examples: every PlanDefinition and ActivityDefinition, and kdn5 to the byte.

The examples are public (HL7, CC0) and stay outside of this repository.
"""

import json
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from carepath.apply import ApplyRequest, apply_activity, apply_plan
from carepath.formats.json import decode
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.validation import validate

from ..suites import EXAMPLES, needs

NOW = datetime.fromisoformat("2017-03-06T17:31:00+00:00")
KNOWN = ("PlanDefinition", "ActivityDefinition", "Library", "Questionnaire", "ValueSet")

pytestmark = needs(EXAMPLES)


def names(resource_type: str) -> list[str]:
    """Return the examples of a type by file name, for pytest."""
    return sorted(p.stem for p in EXAMPLES.glob(f"{resource_type.lower()}-*.json"))


def read(name: str) -> dict[str, Any]:
    resource: dict[str, Any] = decode((EXAMPLES / f"{name}.json").read_bytes())
    return resource


@cache
def knowledge() -> Knowledge:
    """Return all definitions among the examples, so that they find each other."""
    found = [read(p.stem) for kind in KNOWN for p in EXAMPLES.glob(f"{kind.lower()}-*.json")]
    return Knowledge.of(r for r in found if r["resourceType"] in KNOWN)


@cache
def record() -> Record:
    """Return a patient with something to read about, and the people of the published answer."""
    about = ["patient-example", "condition-example", "observation-example", "encounter-example"]
    author = {"resourceType": "Practitioner", "id": "1"}
    return Record.of([*(read(name) for name in about), author])


def request(definition: dict[str, Any]) -> ApplyRequest:
    return ApplyRequest(
        definition,
        record(),
        NOW,
        subject="Patient/example",
        encounter="Encounter/example",
        practitioner="Practitioner/1",
        explain="full",
    )


def errors_in(answer: dict[str, Any]) -> list[Issue]:
    """Return what breaks R4 in an answer: structure, invariants, extensions, profiles."""
    found = validate(answer, definitions=Knowledge.shipped(), now=NOW)
    return [issue for issue in found if issue.is_error]


def test_all_examples_are_there() -> None:
    assert (len(names("PlanDefinition")), len(names("ActivityDefinition"))) == (18, 9)


@pytest.mark.parametrize("name", names("PlanDefinition"))
def test_every_plan_goes_through(name: str) -> None:
    """The answer is valid; what could not be decided is named by language or missing element."""
    applied = apply_plan(request(read(name)), knowledge())
    for answer in (applied.care_plan(), applied.bundle()):
        assert errors_in(answer) == []
    left_out = [d for d in applied.decisions if str(d.outcome) == "undetermined"]
    assert bool(left_out) <= bool(applied.issues)
    for issue in applied.issues:
        assert issue.diagnostics
        assert issue.expression


@pytest.mark.parametrize("name", names("ActivityDefinition"))
def test_every_activity_goes_through(name: str) -> None:
    """Each definition gives a valid request of its kind."""
    definition = read(name)
    made = apply_activity(request(definition), knowledge())
    assert made.resource["resourceType"] == definition["kind"]
    assert errors_in(made.resource) == []
    assert all(issue.diagnostics for issue in made.issues)


def without_resources(action: dict[str, Any]) -> dict[str, Any]:
    """Return an action and its children without what `resource` refers to."""
    kept = {k: v for k, v in action.items() if k != "resource"}
    if "action" in action:
        kept["action"] = [without_resources(child) for child in action["action"]]
    return kept


def leaves(action: dict[str, Any]) -> list[dict[str, Any]]:
    return (
        [leaf for child in action["action"] for leaf in leaves(child)]
        if "action" in action
        else [action]
    )


def requests_in_order(
    group: dict[str, Any], contained: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the requests that the actions of a RequestGroup refer to, in order."""
    by_id = {f"#{r['id']}": r for r in contained}
    return [by_id[leaf["resource"]["reference"]] for leaf in leaves(group)]


def test_kdn5_reproduces_its_published_request_group() -> None:
    """Gemcitabine and carboplatin (KDN5).

    Compared as published: the whole tree of actions (ids, extensions with the days of the cycle,
    textEquivalent, timing, relatedAction, grouping and selection behaviour), and of each request
    its type, medication, subject and dosage, in order; subject and encounter of the group.

    Not compared, for the published example departs from the specification or from the request:
    - ids of the contained requests (`1111`): an engine is free to choose them;
    - MedicationRequest.status `unknown`: `$apply` makes drafts;
    - MedicationRequest.intent `proposal`: these stand inside an exactly-one group, so `option`;
    - RequestGroup.intent `plan`: the result of `$apply` is a proposal;
    - RequestGroup.instantiatesCanonical `PlanDefinition/KDN5`: the plan has no url, so there is no
      canonical, and a relative reference is none;
    - RequestGroup.priority, authoredOn, identifier and meta.tag: from the author of the example.
    """
    published = read("requestgroup-kdn5-example")
    care_plan = apply_plan(
        request(read("plandefinition-example-kdn5-simplified")), knowledge()
    ).care_plan()
    contained = care_plan["contained"]
    group = next(r for r in contained if r["resourceType"] == "RequestGroup")

    assert without_resources(group)["action"] == without_resources(published)["action"]
    for element in ("subject", "encounter", "author", "status"):
        assert group[element] == published[element], element
    assert (group["intent"], published["intent"]) == ("proposal", "plan")
    assert "instantiatesCanonical" not in group

    ours = requests_in_order(group, contained)
    theirs = requests_in_order(published, published["contained"])
    compared = ("resourceType", "medicationCodeableConcept", "subject", "dosageInstruction")
    assert [{k: r[k] for k in compared} for r in ours] == [
        {k: r[k] for k in compared} for r in theirs
    ]
    assert [(r["status"], r["intent"]) for r in ours] == [("draft", "option")] * 2
    assert [(r["status"], r["intent"]) for r in theirs] == [("unknown", "proposal")] * 2


def test_kdn5_is_not_changed() -> None:
    definition = read("plandefinition-example-kdn5-simplified")
    before = json.dumps(definition, default=str)
    apply_plan(request(definition), knowledge()).bundle()
    assert json.dumps(definition, default=str) == before
