"""The files of a new pathway: a plan, an activity, a Library of facts, codes, cases and a README.

https://hl7.org/fhir/R4/plandefinition.html

They hold together, keep every rule and show every outcome of their one action, so that an author
changes something that works.
"""

from collections.abc import Mapping
from typing import Any

from carepath.apply.compile.names import FACT, LABEL, RECORDING

Json = dict[str, Any]
_TYPES = "http://terminology.hl7.org/CodeSystem"
_VERSION = "0.1.0"


def files_of(name: str, root: str) -> Mapping[str, Any]:
    """Return the files of a pathway by their paths: JSON values, and the README as text.

    `name` is the id of the plan, `root` what the urls of its definitions begin with.
    """
    return {
        "plan-definition.json": _plan(name, root),
        "activity-definition.json": _activity(name, root),
        "library.json": _library(name, root),
        "code-system.json": _codes(name, root),
        f"cases/{name}/proposed.json": _case(name, root, "proposed", found=True),
        f"cases/{name}/not-proposed.json": _case(name, root, "not-proposed", found=False),
        f"cases/{name}/not-recorded.json": _case(name, root, "not-recorded", found=None),
        "README.md": _README.format(name=name),
    }


def _definition(resource_type: str, id_: str, root: str, title: str, **more: Any) -> Json:
    return {
        "resourceType": resource_type,
        "id": id_,
        "url": f"{root}/{resource_type}/{id_}",
        "version": _VERSION,
        "name": "".join(part.capitalize() for part in id_.split("-")),
        "title": title,
        "status": "draft",
        "experimental": True,
        **more,
    }


def _plan(name: str, root: str) -> Json:
    return _definition(
        "PlanDefinition",
        name,
        root,
        _words(name),
        type={
            "coding": [{"system": f"{_TYPES}/plan-definition-type", "code": "clinical-protocol"}]
        },
        description="Say in a sentence what this pathway decides, and for whom.",
        library=[f"{root}/Library/{name}-facts|{_VERSION}"],
        action=[
            {
                "id": "first-step",
                "title": "First step",
                "description": "Say what is to be done.",
                "textEquivalent": "Say what is to be done.",
                "code": [{"text": "First step"}],
                "documentation": [
                    {"type": "documentation", "label": "SOURCE-1", "display": "Source, page 1"}
                ],
                "condition": [
                    _condition("The pathway concerns this patient", "%concerned"),
                    _condition("The finding is there", "%finding"),
                ],
                "requiredBehavior": "could",
                "definitionCanonical": f"{root}/ActivityDefinition/{name}-first-step|{_VERSION}",
            }
        ],
    )


def _condition(text: str, expression: str) -> Json:
    return {
        "kind": "applicability",
        "expression": {
            "description": text,
            "language": "text/fhirpath",
            "expression": expression,
        },
    }


def _activity(name: str, root: str) -> Json:
    return _definition(
        "ActivityDefinition",
        f"{name}-first-step",
        root,
        "First step",
        description="The request that the first step makes.",
        kind="ServiceRequest",
        intent="proposal",
        code={"text": "First step"},
    )


def _library(name: str, root: str) -> Json:
    concerned = (
        f"iif(%conditions.empty(), {{}}, %conditions.exists(code.coding.where("
        f"system = '{root}/CodeSystem/{name}-codes' and code = 'diagnosis').exists()))"
    )
    return _definition(
        "Library",
        f"{name}-facts",
        root,
        f"Facts of {_words(name)}",
        description="What the pathway decides on; a fact that the record does not tell is empty.",
        type={"coding": [{"system": f"{_TYPES}/library-type", "code": "logic-library"}]},
        extension=[
            _fact("concerned", "the diagnosis", "as a Condition with its code", concerned),
            _fact(
                "finding",
                "the finding",
                "as an Observation with its code and a value of true or false",
                "%findings.value.ofType(boolean).first()",
            ),
        ],
        dataRequirement=[
            {"id": "conditions", "type": "Condition"},
            {
                "id": "findings",
                "type": "Observation",
                "codeFilter": [{"path": "code", "code": [_coding(name, root, "finding")]}],
            },
        ],
    )


def _fact(name: str, label: str, recording: str, expression: str) -> Json:
    return {
        "url": FACT,
        "valueExpression": {
            "extension": [
                {"url": LABEL, "valueString": label},
                {"url": RECORDING, "valueString": recording},
            ],
            "name": name,
            "description": f"Whether {label} is there.",
            "language": "text/fhirpath",
            "expression": expression,
        },
    }


def _codes(name: str, root: str) -> Json:
    return _definition(
        "CodeSystem",
        f"{name}-codes",
        root,
        f"Codes of {_words(name)}",
        description="Codes for the examples; use those of a public system where there are any.",
        content="complete",
        concept=[
            {"code": "diagnosis", "display": "The diagnosis"},
            {"code": "finding", "display": "The finding"},
        ],
    )


def _coding(name: str, root: str, code: str) -> Json:
    return {"system": f"{root}/CodeSystem/{name}-codes", "code": code}


def _case(name: str, root: str, outcome: str, *, found: bool | None) -> Json:
    subject = {"reference": "Patient/p"}
    active = {"coding": [{"system": f"{_TYPES}/condition-clinical", "code": "active"}]}
    given: list[Json] = [
        {"resourceType": "Patient", "id": "p", "gender": "female"},
        {
            "resourceType": "Condition",
            "id": "c",
            "clinicalStatus": active,
            "code": {"coding": [_coding(name, root, "diagnosis")]},
            "subject": subject,
        },
    ]
    if found is not None:
        given.append(
            {
                "resourceType": "Observation",
                "id": "f",
                "status": "final",
                "code": {"coding": [_coding(name, root, "finding")]},
                "subject": subject,
                "effectiveDateTime": "2026-03-01",
                "valueBoolean": found,
            }
        )
    missing = {f"{name}/first-step": ["finding"]} if found is None else {}
    return {
        "about": _ABOUT[outcome],
        "now": "2026-03-31T09:15:00+02:00",
        "pathway": name,
        "given": given,
        "expect": {
            "proposed": [f"{name}-first-step"] if found else [],
            "undetermined": missing,
        },
    }


def _words(name: str) -> str:
    """Return an id as words: `lung-nodule` is `Lung nodule`."""
    return name.replace("-", " ").capitalize()


_ABOUT = {
    "proposed": "The finding is there: the first step is proposed.",
    "not-proposed": "The finding is not there: the first step does not apply.",
    "not-recorded": "Nobody recorded the finding: the step is left open, and it is asked for.",
}
_README = """# {name}

| file | holds |
|---|---|
| `plan-definition.json` | the steps, and the conditions under which each applies |
| `activity-definition.json` | the request that a step makes |
| `library.json` | the facts that conditions read as `%name`, and the data that facts read |
| `code-system.json` | codes for the examples |
| `cases/{name}` | patients, and what must follow for each |

Run `carepath check .` here after each change; it names what does not hold, and which outcomes no
case shows. `--tables` prints the decision table. What may stand where, and every rule, is told in
the documentation for authors (`docs/authoring.md` of Carepath).
"""
