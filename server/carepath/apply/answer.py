"""The result of applying a plan, in the shapes that callers ask for.

https://hl7.org/fhir/R4/careplan.html and https://hl7.org/fhir/R4/requestgroup.html
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from carepath.apply.collection import collection
from carepath.apply.compile.compiled import CompiledPlan
from carepath.apply.compile.extensions import OWN
from carepath.apply.explain.assumptions import assumptions
from carepath.apply.explain.decision import Decision, decision_of
from carepath.apply.page.build import Sorted, sheet
from carepath.apply.page.header import phase
from carepath.apply.page.request_reasons import add_reasons
from carepath.apply.page.setting import document, narrative
from carepath.apply.page.sheet import Sheet
from carepath.apply.provenance import provenance
from carepath.apply.run.nested import NestedPlan, without_container
from carepath.apply.run.notices import expired, expiry_issues, notes
from carepath.apply.run.requests import ISSUES
from carepath.apply.run.session import Session
from carepath.apply.run.step import MET, NOT_MET, UNDETERMINED, Step
from carepath.apply.run.transaction import transaction
from carepath.apply.run.walk import Walk
from carepath.formats.json import encode
from carepath.issues import Issue, operation_outcome
from carepath.resources import Resource

_GROUP = "request-group"
_OUTCOMES = (MET, NOT_MET, UNDETERMINED)


class Applied:
    """One plan applied to one patient."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self.session: Session = walk.session
        """What was worked out: for author's tools, which ask why."""
        self._notes = tuple(dict.fromkeys((*assumptions(walk.session), *notes(walk))))
        self._left_out = tuple(walk.session.left_out())
        self._goals = walk.goals.make(walk.requests.unique_id)
        self._explain = walk.session.request.explain
        if walk.session.request.previous_plan is not None:
            self.sheet  # noqa: B018 - refuses a plan that cannot be compared, whatever is asked for

    def __repr__(self) -> str:
        """Return plan and outcomes in one line, without the patient: such lines get into logs."""
        count = Counter(step.outcome for step in self._walk.steps)
        told = ", ".join(f"{count[outcome]} {outcome}" for outcome in _OUTCOMES)
        return f"<Applied {self._walk.plan.canonical}: {told}>"

    def _repr_html_(self) -> str:
        """Return the narrative, which a notebook shows in place of the line."""
        return self.narrative["div"]

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Return what was decided about each action, in plan order."""
        return tuple(decision_of(step) for step in self._walk.steps)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the actions as they were met, in plan order; they live as long as this object."""
        return tuple(self._walk.steps)

    @property
    def plan(self) -> str:
        """Return the canonical of the plan, with its version."""
        return self._walk.plan.canonical

    @property
    def subject(self) -> str | None:
        """Return whom the plan is for: the reference to them, else what they are called."""
        named = self.session.people.subject
        return named.get("reference") or named.get("display")

    @property
    def phase(self) -> str:
        """Return the title of the phase of care in which the patient is, '' for none."""
        return phase(self._walk)

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """Return what the reader must know beside the plan: undetermined actions, broken parts."""
        session = self.session
        return (
            *(Issue("warning", "business-rule", text) for text in assumptions(session)),
            *session.request.issues,
            *session.record.issues(),
            *self._left_out,
            *expiry_issues(self._walk),
            *session.issues,
        )

    @cached_property
    def sheet(self) -> Sheet:
        """Return what stands on the pages about the application.

        Raises InvalidParameter when the earlier plan that was given cannot be compared.
        """
        return sheet(self._walk, self._sorted, expired(self._walk), self._not_used())

    @cached_property
    def _sorted(self) -> Sorted:
        return Sorted(self._walk)

    @cached_property
    def _requests(self) -> list[Resource]:
        """Return the requests, with their reasons where they were asked for."""
        if self._explain != "none":
            add_reasons(self._walk.steps, self._sorted.reasons)
        return self._walk.requests.made

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Return what the answer contains beside its issues, the requests first."""
        return (*self._requests, *self._walk.requests.contained, *self._goals)

    def page(self) -> str:
        """Return the page for the reader of the request as an HTML document, to be printed."""
        request = self.session.request
        return document(self.sheet, request.narrative, request.templates)

    def _not_used(self) -> Iterator[str]:
        """Yield a sentence for each datum that decided nothing."""
        session = self.session
        for issue in (*session.request.issues, *session.record.issues(), *self._left_out):
            yield issue.diagnostics

    def decisions_document(self) -> dict[str, Any]:
        """Return all decisions and issues as one JSON document."""
        return {
            "plan": self.plan,
            "subject": self.subject,
            "decisions": [decision.as_json() for decision in self.decisions],
            "issues": [issue.as_element() for issue in self.issues],
        }

    def _decisions(self) -> list[Resource]:
        """Return all decisions as an extension of the answer, where they were asked for."""
        if self._explain != "full":
            return []
        data = b64encode(encode(self.decisions_document())).decode()
        attachment = {"contentType": "application/json", "data": data, "title": "Decisions"}
        return [{"url": f"{OWN}decisions", "valueAttachment": attachment}]

    def care_plan(self) -> Resource:
        """Return the CarePlan with RequestGroup, requests, Goals and issues contained."""
        made: Resource = {"resourceType": "CarePlan"}
        if self.session.request.language:
            made["language"] = self.session.request.language
        if self._explain != "none":
            made["text"] = self.narrative
        own = [self._group(), *self._nested(), *self._requests]
        contained = [*own, *self._walk.requests.contained, *self._goals]
        told = provenance(self.session, ["", *_ids(own), *_ids(self._goals)])
        made["contained"] = [*contained, *told, *self._outcome()]
        decisions = self._decisions()
        if decisions:
            made["extension"] = decisions
        made |= self._head(self._walk.plan, "CarePlan") | self._references()
        made["activity"] = [{"reference": {"reference": f"#{_GROUP}"}}]
        if self._notes:
            made["note"] = [{"text": note} for note in self._notes]
        return made

    def _head(self, plan: CompiledPlan, name: str) -> Resource:
        """Return what a CarePlan says of its plan and of those concerned."""
        value = f"urn:uuid:{self._uuid(name)}"
        made: Resource = {"identifier": [{"system": "urn:ietf:rfc:3986", "value": value}]}
        made |= plan.instantiated | {"status": "draft", "intent": "proposal"}
        if plan.title:
            made["title"] = plan.title
        if plan.source.get("description"):
            made["description"] = plan.source["description"]
        return made | self.session.people.parties("CarePlan")

    def _nested(self) -> list[Resource]:
        """Return the nested plans that are not merged: of each CarePlan and RequestGroup."""
        found: list[Resource] = []
        for part in self._walk.nested:
            found += [self._nested_plan(part), self._group_of(part.plan, part.group, part.actions)]
        return found

    def _nested_plan(self, part: NestedPlan) -> Resource:
        """Return the CarePlan of a nested plan, which contains nothing itself."""
        made: Resource = {"resourceType": "CarePlan", "id": part.id}
        made |= self._head(part.plan, part.id) | {"partOf": [part.part_of]}
        made |= self._goals_of(part.plan)
        made["activity"] = [{"reference": {"reference": f"#{part.group}"}}]
        notes = dict.fromkeys((*self._walk.plan.disclaimers, *part.plan.disclaimers))
        if notes:
            made["note"] = [{"text": note} for note in notes]
        return made

    def _goals_of(self, plan: CompiledPlan) -> Resource:
        """Return the goals of one plan as elements of its CarePlan."""
        goals = self._walk.goals.of_plan(plan)
        addressed = [one for goal in goals for one in goal.get("addresses", ())]
        made: Resource = {}
        if addressed:
            made["addresses"] = [r for i, r in enumerate(addressed) if r not in addressed[:i]]
        if goals:
            made["goal"] = [{"reference": f"#{goal['id']}"} for goal in goals]
        return made

    def _references(self) -> Resource:
        """Return what the plan addresses, the issues and the goals."""
        made: Resource = {}
        addressed = self._addressed()
        if addressed:
            made["addresses"] = addressed
        people = self.session.people
        is_told = people.subject_in("CarePlan") is people.subject
        info = [] if is_told else [people.subject]
        if self.issues:
            info.append({"reference": f"#{ISSUES}"})
        if info:
            made["supportingInfo"] = info
        elsewhere = [g for part in self._walk.nested for g in self._walk.goals.of_plan(part.plan)]
        goals = [goal for goal in self._goals if goal not in elsewhere]
        if goals:
            made["goal"] = [{"reference": f"#{goal['id']}"} for goal in goals]
        return made

    def _outcome(self) -> list[Resource]:
        """Return the issues as an OperationOutcome, nothing when there are none."""
        return [{**operation_outcome(self.issues), "id": ISSUES}] if self.issues else []

    def bundle(self) -> Resource:
        """Return the collection Bundle of `$r5.apply`: RequestGroup, requests, Goals, issues."""
        walk = self._walk
        group = self._group()
        if self._explain != "none":
            group["text"] = self.narrative
        decisions = self._decisions()
        if decisions:
            group["extension"] = decisions
        if self._notes:
            group["note"] = [{"text": note} for note in self._notes]
        nested = [without_container(made) for made in self._nested()]
        own = [group, *nested, *self._requests, *self._goals]
        told = provenance(self.session, _ids(own))
        resources = [*own, *walk.requests.contained, *told, *self._outcome()]
        return collection(resources, self._uuid)

    def transaction(self) -> Resource:
        """Return the CarePlan and all that it contains as a transaction for a FHIR server."""
        return transaction(self.care_plan(), self._uuid)

    def as_model(self) -> Any:
        """Return the CarePlan as an object of fhir.resources (R4B)."""
        from carepath.validation.structure.second_opinion import as_model  # noqa: PLC0415 - loads slowly

        return as_model(self.care_plan())

    @cached_property
    def narrative(self) -> dict[str, str]:
        """Return the text of the answer, status and `div`, for the reader of the request."""
        request = self.session.request
        return narrative(self.sheet, request.narrative, request.templates)

    def _group(self) -> Resource:
        """Return the RequestGroup of the answer."""
        return self._group_of(self._walk.plan, _GROUP, self._walk.actions)

    def _group_of(self, plan: CompiledPlan, id_: str, actions: list[Resource]) -> Resource:
        """Return the RequestGroup with the actions of a plan that apply."""
        made: Resource = {"resourceType": "RequestGroup", "id": id_, **plan.instantiated}
        made |= {"status": "draft", "intent": "proposal"}
        made |= self.session.people.parties(
            "RequestGroup", "Practitioner", "PractitionerRole", "Device"
        )
        if actions:
            made["action"] = actions
        return made

    def _addressed(self) -> list[Resource]:
        """Return the Conditions that goals address, then those that proposals rest on."""
        found = list(self._walk.goals.addressed)
        return found + [r for r in self._walk.requests.conditions.values() if r not in found]

    def _uuid(self, name: str) -> str:
        """Return an id that the same plan, version, patient and part of the answer always get."""
        subject = self.session.people.subject.get("reference", "")
        return str(uuid5(NAMESPACE_URL, f"{self._walk.plan.canonical}|{subject}|{name}"))


def _ids(resources: Iterable[Resource]) -> list[str]:
    return [resource["id"] for resource in resources]
