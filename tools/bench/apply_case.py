"""The plan, the patient and the hand-written floor of the $apply benchmark.

40 nested actions (10 groups of 3 leaves), 25 ActivityDefinitions, a condition on each action, two
dynamicValues on each leaf, 10 facts: 110 expressions.  Each fact reads the Observations with its
code by a data requirement.  The patient is a Bundle of 36 resources and 22 kB.  Everything is
generated, nothing is clinical.
"""

from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from carepath.formats.json import decode, encode

Json = dict[str, Any]

BASE = "http://bench.example/fhir"
FACTS = (
    ("grade", "C1", "value.ofType(CodeableConcept).coding.code"),
    ("size", "C2", "value.ofType(Quantity).value"),
    ("stage", "C3", "value.ofType(integer)"),
    ("margin", "C4", "value.ofType(CodeableConcept).coding.code"),
    ("status", "C5", "value.ofType(integer)"),
    ("depth", "C6", "value.ofType(CodeableConcept).coding.code"),
    ("risk", "C7", "value.ofType(CodeableConcept).coding.code"),
    ("count", "C8", "value.ofType(Quantity).value"),
    ("site", "C9", "value.ofType(CodeableConcept).coding.code"),
    ("agreed", "C10", "value.ofType(boolean)"),
)
VALUES: dict[str, Any] = {
    "C1": {"valueCodeableConcept": {"coding": [{"system": BASE, "code": "high"}]}},
    "C2": {"valueQuantity": {"value": Decimal("7.5"), "unit": "cm"}},
    "C3": {"valueInteger": 2},
    "C4": {"valueCodeableConcept": {"coding": [{"system": BASE, "code": "R1"}]}},
    "C5": {"valueInteger": 1},
    "C6": {"valueCodeableConcept": {"coding": [{"system": BASE, "code": "deep"}]}},
    "C7": {"valueCodeableConcept": {"coding": [{"system": BASE, "code": "low"}]}},
    "C8": {"valueQuantity": {"value": Decimal("12"), "unit": "1"}},
    "C9": {"valueCodeableConcept": {"coding": [{"system": BASE, "code": "limb"}]}},
    "C10": {"valueBoolean": True},
}
GROUPS = (
    "%grade = 'high'",
    "%size > 5",
    "%stage = 2 or %stage = 3",
    "%margin = 'R1'",
    "%status < 3",
    "%depth = 'deep'",
    "%risk = 'high'",
    "%count > 10",
    "%site = 'limb'",
    "%agreed",
)
LEAVES = (
    "%grade = 'high' and %size > {number}.5",
    "%stage = 2 and %status <= {number}",
    "%margin = 'R0' or %risk = 'r{number}'",
)
"""No two leaves share an expression, so that nothing is gained by deciding a text only once."""
INSTRUCTION = "'Step {number}: grade ' & %grade & ', stage ' & %stage.toString()"
PRIORITY = "iif(%size > {number}, 'urgent', 'routine')"


def _expression(text: str) -> Json:
    return {"language": "text/fhirpath", "expression": text}


def _condition(text: str) -> list[Json]:
    return [{"kind": "applicability", "expression": _expression(text)}]


def definitions() -> list[Json]:
    """Return the plan, its Library and 25 ActivityDefinitions."""
    return [_plan(), _library(), *(_activity(number) for number in range(25))]


def _library() -> Json:
    facts = [
        {
            "url": "https://carepath.example/fhir/StructureDefinition/fact",
            "valueExpression": {
                "name": name,
                **_expression(f"%{name}Observations.{path}"),
            },
        }
        for name, _, path in FACTS
    ]
    requirements = [
        {
            "id": f"{name}Observations",
            "type": "Observation",
            "codeFilter": [{"path": "code", "code": [{"system": BASE, "code": code}]}],
        }
        for name, code, _ in FACTS
    ]
    return {
        "resourceType": "Library",
        "id": "facts",
        "extension": facts,
        "url": f"{BASE}/Library/facts",
        "version": "1",
        "status": "draft",
        "type": {"text": "logic-library"},
        "dataRequirement": requirements,
    }


def _activity(number: int) -> Json:
    return {
        "resourceType": "ActivityDefinition",
        "id": f"order-{number}",
        "url": f"{BASE}/ActivityDefinition/order-{number}",
        "version": "1",
        "status": "draft",
        "kind": "ServiceRequest",
        "intent": "proposal",
        "code": {
            "coding": [{"system": BASE, "code": f"S{number}", "display": f"Service {number}"}]
        },
    }


def _plan() -> Json:
    return {
        "resourceType": "PlanDefinition",
        "id": "bench",
        "url": f"{BASE}/PlanDefinition/bench",
        "version": "1",
        "title": "Benchmark",
        "status": "draft",
        "library": [f"{BASE}/Library/facts"],
        "action": [_group(group) for group in range(10)],
    }


def _group(group: int) -> Json:
    return {
        "id": f"g{group}",
        "title": f"Group {group}",
        "condition": _condition(GROUPS[group]),
        "groupingBehavior": "logical-group",
        "action": [_leaf(group, leaf) for leaf in range(3)],
    }


def _leaf(group: int, leaf: int) -> Json:
    number = group * 3 + leaf
    values = (("patientInstruction", INSTRUCTION), ("priority", PRIORITY))
    return {
        "id": f"a{group}{leaf}",
        "title": f"Action {group}.{leaf}",
        "description": f"What to do in step {leaf} of group {group}.",
        "priority": "routine",
        "condition": _condition(LEAVES[leaf].format(number=group)),
        "definitionCanonical": f"{BASE}/ActivityDefinition/order-{number % 25}",
        "dynamicValue": [
            {"path": path, "expression": _expression(text.format(number=number))}
            for path, text in values
        ],
    }


def bundle() -> bytes:
    """Return the Bundle: 1 Patient, 5 Conditions, 30 Observations, of which 10 matter."""
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"family": "Example", "given": ["Pat"]}],
        "gender": "female",
        "birthDate": "1961-04-17",
    }
    resources = [patient, *(_record_condition(n) for n in range(5))]
    resources += [_observation(number) for number in range(1, 31)]
    entries = [
        {"fullUrl": f"{BASE}/{r['resourceType']}/{r['id']}", "resource": r} for r in resources
    ]
    content = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return msgspec.json.Encoder(decimal_format="number").encode(content)


def _record_condition(number: int) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"condition-{number}",
        "clinicalStatus": {"coding": [{"system": f"{BASE}/status", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{BASE}/status", "code": "confirmed"}]},
        "code": {
            "coding": [{"system": BASE, "code": f"D{number}", "display": f"Disease {number}"}]
        },
        "subject": {"reference": "Patient/p"},
        "onsetDateTime": "2026-01-02",
        "note": [{"text": "Recorded at the first visit and checked at the second. " * 2}],
    }


def _observation(number: int) -> Json:
    code = f"C{number}"
    return {
        "resourceType": "Observation",
        "id": f"observation-{number}",
        "status": "final",
        "category": [{"coding": [{"system": f"{BASE}/category", "code": "laboratory"}]}],
        "code": {"coding": [{"system": BASE, "code": code, "display": f"Finding {number}"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-02-03T08:30:00+01:00",
        "performer": [{"reference": "Practitioner/doc", "display": "Dr Example"}],
        **VALUES.get(code, {"valueString": "within the range that is usual here"}),
        "note": [{"text": "Measured twice, by two people, with the same result each time."}],
    }


# The floor: the same answer, written by hand for this one plan.  It reads and writes with the
# project's strict codec, as everything in the service does; what differs is the applying.

_TITLES = [f"Group {g}" for g in range(10)]
_LEAF_REASONS = (("grade", "size"), ("stage", "status"), ("margin", "risk"))
_CODES = {code: name for name, code, _ in FACTS}
_UUID = f"urn:uuid:{uuid5(NAMESPACE_URL, f'{BASE}/PlanDefinition/bench|1|Patient/p|CarePlan')}"


def floor(data: bytes) -> bytes:
    """Return the CarePlan for the benchmark's Bundle, by plain Python."""
    facts: Json = {}
    references: dict[str, Json] = {}
    for entry in decode(data)["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "Observation":
            continue
        name = _CODES.get(resource["code"]["coding"][0]["code"])
        if name is None or resource["subject"]["reference"] != "Patient/p":
            continue
        value = _value(resource)
        facts[name] = value
        reference = f"Observation/{resource['id']}"
        references[name] = {"reference": reference}
    met = (
        facts["grade"] == "high",
        facts["size"] > 5,
        facts["stage"] in (2, 3),
        facts["margin"] == "R1",
        facts["status"] < 3,
        facts["depth"] == "deep",
        facts["risk"] == "high",
        facts["count"] > 10,
        facts["site"] == "limb",
        facts["agreed"] is True,
    )
    return encode(_care_plan(met, facts, references))


def _leaf_met(group: int, leaf: int, facts: Json) -> bool:
    if leaf == 0:
        return facts["grade"] == "high" and facts["size"] > group + 0.5
    if leaf == 1:
        return facts["stage"] == 2 and facts["status"] <= group
    return facts["margin"] == "R0" or facts["risk"] == f"r{group}"


def _value(observation: Json) -> Any:
    if "valueQuantity" in observation:
        return Decimal(observation["valueQuantity"]["value"])
    if "valueInteger" in observation:
        return observation["valueInteger"]
    if "valueBoolean" in observation:
        return observation["valueBoolean"]
    return observation["valueCodeableConcept"]["coding"][0]["code"]


def _care_plan(met: tuple[bool, ...], facts: Json, references: dict[str, Json]) -> Json:
    subject = {"reference": "Patient/p"}
    canonical = [f"{BASE}/PlanDefinition/bench|1"]
    actions: list[Json] = []
    requests: list[Json] = []
    taken: dict[str, int] = {}
    for group in range(10):
        if not met[group]:
            continue
        leaves: list[Json] = []
        for leaf in range(3):
            if not _leaf_met(group, leaf, facts):
                continue
            step = group * 3 + leaf
            number = step % 25
            id_ = f"order-{number}"
            count = taken[id_] = taken.get(id_, 0) + 1
            if count > 1:
                id_ = f"{id_}-{count}"
            reasons = _LEAF_REASONS[leaf]
            requests.append(
                {
                    "resourceType": "ServiceRequest",
                    "id": id_,
                    "instantiatesCanonical": [f"{BASE}/ActivityDefinition/order-{number}|1"],
                    "status": "draft",
                    "intent": "proposal",
                    "code": {
                        "coding": [
                            {"system": BASE, "code": f"S{number}", "display": f"Service {number}"}
                        ]
                    },
                    "subject": subject,
                    "authoredOn": "2026-03-31",
                    "reasonReference": [references[name] for name in reasons],
                    "patientInstruction": (
                        f"Step {step}: grade {facts['grade']}, stage {facts['stage']}"
                    ),
                    "priority": "urgent" if facts["size"] > step else "routine",
                }
            )
            leaves.append(
                {
                    "id": f"a{group}{leaf}",
                    "title": f"Action {group}.{leaf}",
                    "description": f"What to do in step {leaf} of group {group}.",
                    "priority": "routine",
                    "resource": {"reference": f"#{id_}"},
                }
            )
        made = {"id": f"g{group}", "title": _TITLES[group], "groupingBehavior": "logical-group"}
        actions.append({**made, "action": leaves})
    return {
        "resourceType": "CarePlan",
        "contained": [
            {
                "resourceType": "RequestGroup",
                "id": "request-group",
                "instantiatesCanonical": canonical,
                "status": "draft",
                "intent": "proposal",
                "subject": subject,
                "action": actions,
            },
            *requests,
        ],
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": _UUID}],
        "instantiatesCanonical": canonical,
        "status": "draft",
        "intent": "proposal",
        "title": "Benchmark",
        "subject": subject,
        "activity": [{"reference": {"reference": "#request-group"}}],
    }
