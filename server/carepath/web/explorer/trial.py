"""A patient on a pathway: the plan beside the picture, each step with its reason, and what if.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html

What is sent is read, answered and forgotten; the operation's own rules hold for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response
from markupsafe import Markup

from carepath.apply import Applied, ApplyRequest, apply_plan
from carepath.apply.drawing import drawing
from carepath.apply.explain.facts import FactReport, facts_of_plan
from carepath.errors import InvalidParameter
from carepath.formats.json import encode
from carepath.knowledge import Knowledge
from carepath.resources import Resource
from carepath.web import service
from carepath.web.explorer.assumable import PREFIX, UNKNOWN, Assumables, assumed_in
from carepath.web.explorer.examples import examples, text_of_example
from carepath.web.explorer.forms import chosen, fields_of, resource_in
from carepath.web.explorer.pages import page
from carepath.web.explorer.plans import Plans
from carepath.web.explorer.steps import WORDS, Shown, shown_of, states_of
from carepath.web.http.exchange import current
from carepath.web.operations.apply import request_of
from carepath.web.operations.endpoints import knowledge_for
from carepath.web.operations.table import call_of, operations

_APPLY = "PlanDefinition-apply"
_NO_DATA = "a Bundle: dropped, pasted, chosen as a file or from the examples"


@dataclass(frozen=True, slots=True)
class Change:
    """A step that is otherwise under an assumption; a state is empty where it was not reached."""

    title: str
    anchor: str
    before: str
    after: str


def trial() -> Response:
    """Show the form, or what comes of the patient that it sent."""
    exchange = current()
    fields = fields_of(exchange)
    ours = service.current()
    plans = ours.knowledge.derived(Plans)
    every = (*plans.entries, *plans.parts)
    plan_id = fields.get("plan") or next((str(plan.get("id")) for plan in every), "")
    choice: dict[str, Any] = {"plans": every, "plan_id": plan_id}
    if exchange.request.method != "POST" and not fields.get("example"):
        return page("try.html", examples=examples().values(), **choice)
    text = _text(fields)
    with ours.gate.turn():
        exchange.sent = sent = resource_in(text, exchange)
        request, knowledge = _request(plan_id, sent, fields.get("subject", ""))
        values = _values(request, knowledge, fields)
        return page("plan.html", text=text, plan=request.definition, **choice, **values)


def _text(fields: Mapping[str, str]) -> str:
    """Return the text of the record: the example that was chosen, a file, or what was pasted."""
    name = fields.get("example", "")
    if name:
        return text_of_example(name)
    text = chosen(fields, "file", "data")
    if not text:
        raise InvalidParameter("data", None, _NO_DATA)
    return text


def _request(plan_id: str, sent: Resource, subject: str) -> tuple[ApplyRequest, Knowledge]:
    """Return what the operation would be asked to do, and with which definitions."""
    operation = next(one for one in operations() if one.id == _APPLY)
    query = [("subject", subject)] if subject else []
    call = call_of(operation, "instance", "PlanDefinition", plan_id, sent, query)
    knowledge = knowledge_for(call, "PlanDefinition", "planDefinition")
    return request_of(call, knowledge, "PlanDefinition", "planDefinition"), knowledge


def _values(
    request: ApplyRequest, knowledge: Knowledge, fields: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the page of an application shows."""
    known = knowledge.derived(Assumables).of(request)
    assumed = {} if fields.get("clear") else assumed_in(fields, known)
    supposed = replace(request, assumed=assumed)
    applied = apply_plan(supposed, knowledge)
    # First what the operation answers: to look into a decision works out more of the record.
    care_plan, issues = applied.care_plan(), applied.issues
    shown = shown_of(applied, knowledge.derived(Plans), request.definition)
    report = facts_of_plan(supposed, knowledge)
    before = apply_plan(request, knowledge) if assumed else applied
    asked = {question.label for question in before.sheet.questions}
    return {
        **_pictured(care_plan, shown),
        # Its templates escape every text of the record, and it holds what FHIR allows in one only.
        "narrative": Markup(applied.narrative["div"]),  # noqa: S704
        "applied": applied,
        "issues": issues,
        "report": report,
        "recorded": _texts(facts_of_plan(request, knowledge) if assumed else report),
        "known": known,
        "assumed": {name: fields[f"{PREFIX}{name}"].strip() for name in assumed},
        "unknown": UNKNOWN,
        "asked": [one for one in known.values() if one.label in asked or one.name in assumed],
        "changes": _changes(before, applied, shown) if assumed else [],
        "base": current().base,
        "subject": fields.get("subject", ""),
    }


def _pictured(care_plan: Resource, shown: Shown) -> dict[str, Any]:
    """Return the plan as pictures and as FHIR, and what was decided."""
    return {
        "shown": shown,
        "anchors": {one.reference: one.anchor for one in shown.resources},
        "words": WORDS,
        "counts": _counts(shown),
        "pictures": [
            (one, Markup(drawing(one.outline, "narrow", one.marks, f"picture-{number}")))  # noqa: S704
            for number, one in enumerate(shown.pictures)
        ],
        "fhir": encode(care_plan, pretty=True).decode(),
    }


def _texts(report: FactReport) -> dict[str, str]:
    """Return the values of facts in words, by name; empty where one is not known."""
    return {fact.name: fact.text for fact in report.facts}


def _counts(shown: Shown) -> dict[str, int]:
    states = [step.state for step in shown.steps]
    return {state: states.count(state) for state in WORDS}


def _changes(recorded: Applied, applied: Applied, shown: Shown) -> list[Change]:
    """Return which steps are otherwise than for the patient as recorded, in the order of both."""
    before, after = states_of(recorded), states_of(applied)
    titles = {step.path: step.action.title for step in (*recorded.steps, *applied.steps)}
    anchors = {step.path: step.anchor for step in shown.steps}
    return [
        Change(titles[path], anchors.get(path, ""), before.get(path, ""), after.get(path, ""))
        for path in dict.fromkeys((*after, *before))
        if before.get(path) != after.get(path)
    ]
