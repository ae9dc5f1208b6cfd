"""Run the records through the product and print which are read wrongly.

Usage: python -m tests.records.run [KIND...]
"""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from carepath.apply import Applied, apply_plan
from carepath.command.reading import apply_request, read_data
from carepath.errors import CarepathError, InvalidResource
from carepath.knowledge import Knowledge

from .comparing import Answer, differences
from .reading import RecordCase, fact_names, read_record_cases

PATHWAY = "https://carepath.example/fhir/PlanDefinition/mst-pathway"
LIBRARY = "https://carepath.example/fhir/Library/mst-facts"
_PLAN = "record-check"
_FACT = "fact-"
_ACTIVITY = re.compile(r"/ActivityDefinition/([^|]+)")
_GAP_TASK = "task-collect-missing-data"
_SAME_QUESTION = (frozenset({"sizeCm", "size"}), frozenset({"kit", "pdgfra", "mutation"}))
"""Facts that one question to the clinic answers together."""


def with_questions(knowledge: Knowledge, cases: Iterable[RecordCase]) -> Knowledge:
    """Return the knowledge with a plan that nests the pathway and asks for each expected fact."""
    names = sorted({name for case in cases for name in fact_names(case.expect)})
    return knowledge.with_definitions([_questions(names)])


def _questions(names: Sequence[str]) -> dict[str, Any]:
    return {
        "resourceType": "PlanDefinition",
        "id": _PLAN,
        "url": f"https://records.example/fhir/PlanDefinition/{_PLAN}",
        "version": "1.0.0",
        "name": "RecordCheck",
        "title": "The pathway, and single facts",
        "status": "draft",
        "experimental": True,
        "library": [LIBRARY],
        "action": [
            {"id": "pathway", "title": "The pathway", "definitionCanonical": PATHWAY},
            *map(_question, names),
        ],
    }


def _question(name: str) -> dict[str, Any]:
    expression = {"language": "text/fhirpath", "expression": f"%{name}.exists()"}
    return {
        "id": f"{_FACT}{name}",
        "title": f"The fact {name}",
        "condition": [{"kind": "applicability", "expression": expression}],
    }


def answer_to(case: RecordCase, knowledge: Knowledge) -> Answer:
    """Send one record the way `carepath apply -` does and return what came of it.

    An error that is not ours becomes the answer `broken`, so that one record stops no other.
    """
    try:
        request = apply_request(
            read_data(json.dumps(case.body).encode()),
            knowledge,
            pathway=_PLAN,
            subject=None,
            now=case.now,
            parameters=case.parameters,
        )
        return _answer(apply_plan(request, knowledge))
    except InvalidResource as error:
        return Answer(refused=" ".join(f"{i.diagnostics} {i.expression}" for i in error.issues))
    except CarepathError as error:
        return Answer(refused=str(error))
    except Exception as error:  # noqa: BLE001 - a record must never end in a traceback
        return Answer(broken=f"{type(error).__name__}: {error}")


def _answer(applied: Applied) -> Answer:
    document = applied.decisions_document()
    questions = [d for d in document["decisions"] if f"/{_FACT}" in d["path"]]
    others = [d for d in document["decisions"] if f"/{_FACT}" not in d["path"]]
    return Answer(
        facts={f["name"]: _values(f.get("value")) for d in questions for f in d["facts"]},
        ordered=frozenset(_proposed(d for d in others if d["direction"] != "against")),
        against=frozenset(_proposed(d for d in others if d["direction"] == "against")),
        missing=_missing(others),
        told="\n".join(_told(document["issues"])),
    )


def _values(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _proposed(decisions: Iterable[dict[str, Any]]) -> list[str]:
    """Return the ids of the ActivityDefinitions whose decision is met."""
    met = (d.get("definition") or "" for d in decisions if d["outcome"] == "met")
    return [found[1] for definition in met if (found := _ACTIVITY.search(definition))]


def _missing(decisions: Sequence[dict[str, Any]]) -> frozenset[str]:
    """Return the facts that are asked for: missing in a decision, or named by the gap task."""
    missing = {name for d in decisions for name in d["missing"]}
    tasks = [d for d in decisions if _GAP_TASK in _proposed([d])]
    missing |= set(re.findall(r"\w+", json.dumps(tasks, default=str)))
    for same in _SAME_QUESTION:
        missing |= same if missing & same else set()
    return frozenset(missing)


def _told(issues: Iterable[dict[str, Any]]) -> list[str]:
    """Return the texts of the issues, but for those that only tell that an action waits."""
    texts = (
        f"{issue.get('diagnostics', '')} {json.dumps(issue.get('details', {}), ensure_ascii=False)}"
        for issue in issues
    )
    return [text for text in texts if "is undetermined" not in text]


def main(kinds: Sequence[str]) -> int:
    """Print each wrong record of these kinds, all without any; return 1 when some are wrong."""
    cases = [case for case in read_record_cases() if not kinds or case.kind in kinds]
    knowledge = with_questions(Knowledge.shipped(), cases)
    wrong = {case.name: differences(answer_to(case, knowledge), case.expect) for case in cases}
    for case in cases:
        if wrong[case.name]:
            print(f"{case.name}{_mark(case)}: {' '.join(wrong[case.name])}")  # noqa: T201
    settled = [case for case in cases if not case.is_unclear]
    for label, group in _groups(cases):
        right = sum(not wrong[case.name] for case in group)
        print(f"{label}: {right} of {len(group)} right")  # noqa: T201
    right = sum(not wrong[case.name] for case in settled)
    print(f"{right} of {len(settled)} right")  # noqa: T201
    return int(right != len(settled))


def _mark(case: RecordCase) -> str:
    return " (unclear)" if case.is_unclear else " (control)" if case.is_control else ""


def _groups(cases: Sequence[RecordCase]) -> list[tuple[str, list[RecordCase]]]:
    """Return the kinds, the controls and the unclear cases; only the last do not count below."""
    kinds = sorted({case.kind for case in cases})
    return [
        *((kind, [c for c in cases if c.kind == kind and not c.is_unclear]) for kind in kinds),
        ("controls", [case for case in cases if case.is_control]),
        ("unclear", [case for case in cases if case.is_unclear]),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
