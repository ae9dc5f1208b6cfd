"""Make the requests of one application from compiled ActivityDefinitions.

https://hl7.org/fhir/R4/activitydefinition.html#12.17.3.3
"""

import re
from collections.abc import Iterable, Sequence

from carepath.apply.compile.activity import CompiledActivity
from carepath.apply.compile.compiled import CompiledAction
from carepath.apply.compile.dynamic_value import WHOLE, DynamicValue
from carepath.apply.issues import issue_of
from carepath.apply.run.about_another import about_another, with_another
from carepath.apply.run.brought import Brought, lift_contained
from carepath.apply.run.coercion import CannotCoerce
from carepath.apply.run.empty_values import nothing_set
from carepath.apply.run.evidence_elements import evidence_elements, targets_of
from carepath.apply.run.joined import join, mean_alike
from carepath.apply.run.put_value import put
from carepath.apply.run.scope import FAILURES, Scope
from carepath.apply.run.session import Session
from carepath.apply.run.settling import settle
from carepath.apply.run.step import Step, evidence_of
from carepath.apply.run.value_scopes import value_scopes
from carepath.errors import UnsupportedFeature
from carepath.fhirpath import Node
from carepath.issues import Issue
from carepath.r4.model import type_of
from carepath.resources import Resource

_NOT_ID = re.compile(r"[^A-Za-z0-9.-]+")
_ID_LENGTH = 58
_IS_ID = re.compile(r"[A-Za-z0-9.-]{1,58}").fullmatch
"""An id has at most 64 characters; a number may have to follow."""
ISSUES = "issues"
"""The id of the OperationOutcome that an answer contains."""


class Requests:
    """The requests made so far, in plan order, and how to make the next one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.made: list[Resource] = []
        self.contained: list[Resource] = []
        self._taken: dict[str, int] = {"request-group": 1, ISSUES: 1}
        self.conditions: dict[str, Resource] = {}
        """The Conditions that requests rest on, by reference."""
        self._joined: dict[tuple[str, str], Resource] = {}
        """The requests that several actions share, by type and the name they share."""
        self._evidence: dict[tuple[str, str, tuple[str, ...]], Resource] = {}
        self._brought = Brought()
        self._common: dict[tuple[str, str], Resource | None] = {}

    def make(
        self, step: Step, activity: CompiledActivity, subject_type: str, *, is_option: bool
    ) -> Resource | None:
        """Make the request of an action; return the Reference to it, None when there is none."""
        session = self._session
        if activity.issues:
            self._note(activity.issues, step)
        if activity.kind is None:
            return None
        subject_type = subject_type or activity.subject_type
        common = self._for(activity, subject_type, step)
        if common is None:
            return None
        resource = activity.template.copy()
        shared = self._joined.get((activity.resource_type, step.action.joined_as))
        resource["id"] = shared["id"] if shared is not None else self._id_of(step, activity)
        resource.update(common)
        if is_option and activity.may_be_option and session.request.settings.option_intent:
            resource["intent"] = "option"
        if activity.recipients or activity.resource_type == "Appointment":
            self._add_people(resource, activity)
        evidence = evidence_of(step)
        if evidence:
            resource.update(self._reasons(activity, evidence))
        self._set_all(resource, activity, step)
        self._note(about_another(resource, activity.kind.subject, common), step)
        wanted = activity.kind.values_only
        if wanted is not None and self._lacks(resource, wanted, activity, step):
            return None
        if shared is not None and not mean_alike(resource, shared):
            shared, resource["id"] = None, self._id_of(step, activity)
        if activity.contained:
            resource = lift_contained(resource, activity.contained, self)
        self._add(resource, shared, step)
        step.request = activity.resource_type
        return {"reference": f"#{resource['id']}"}

    def _id_of(self, step: Step, activity: CompiledActivity) -> str:
        """Return the id of a new request: the name that several share, or its definition's."""
        own = activity.definition.get("id") or step.action.key
        return self.unique_id(step.action.joined_as or str(own))

    def _add(self, resource: Resource, shared: Resource | None, step: Step) -> None:
        """Keep a request that was made, or add what it says to the one that it is joined to."""
        step.own = dict(resource)
        if shared is None:
            self.made.append(resource)
            if step.action.joined_as:
                self._joined.setdefault((resource["resourceType"], step.action.joined_as), resource)
        else:
            join(resource, shared)
        step.made = resource if shared is None else shared

    def _set_all(self, resource: Resource, activity: CompiledActivity, step: Step) -> None:
        """Put the dynamicValues of a definition, then those of the action that uses it."""
        own = step.action.dynamic_values
        if activity.dynamic_values or own:
            before = resource.copy()
            inner, scope = value_scopes(step.action, step.scope, self._session)
            self._set_values(resource, activity.dynamic_values, inner, step)
            self._set_values(resource, own, scope, step)
            values = (*activity.dynamic_values, *own)
            self._settle(resource, before, activity.resource_type, values, step)
            self._note(with_another(resource, before, self._session.people.subject), step)

    def _lacks(
        self, resource: Resource, wanted: tuple[str, str], activity: CompiledActivity, step: Step
    ) -> bool:
        """Report a required code that no dynamicValue gave: it cannot be marked as unknown."""
        name, code = wanted
        lacks = any(code not in item for item in resource[name])
        if lacks:
            what = f"A {activity.resource_type} to which no dynamicValue gives `{name}.{code}`"
            self._note([issue_of(UnsupportedFeature("", what, activity.canonical))], step)
        return lacks

    def _reasons(self, activity: CompiledActivity, evidence: tuple[str, ...]) -> Resource:
        """Return the elements that name the evidence; the same evidence is sorted out once."""
        kind = activity.kind
        if kind is None:
            return {}
        # What a definition brings along in the same place stands before the evidence.
        own = activity.canonical if kind.supporting in activity.template else ""
        key = (activity.resource_type, own, evidence)
        found = self._evidence.get(key)
        if found is None:
            typed = self._session.resource_types(evidence)
            found = self._evidence[key] = evidence_elements(
                activity.resource_type, kind, activity.template, typed
            )
            self.conditions.update(
                (reference["reference"], reference)
                for resource_type, reference in typed
                if resource_type == "Condition"
            )
        return found

    def refer(self, action: CompiledAction, plan: Resource) -> Resource:
        """Return the Reference to what an action leads to; what its plan contains comes along."""
        reference = {**(action.reference or {}), "display": action.title or action.key}
        name = reference.get("reference", "")
        if name.startswith("#"):
            reference["reference"] = self._brought.bring(name, plan, self)
        return reference

    def cite(self, result: Resource, plan: Resource) -> None:
        """Bring along what the plan contains and the documentation of an action names."""
        cited = result["documentation"]
        if any(str(artifact.get("resource", "")).startswith("#") for artifact in cited):
            result["documentation"] = [self._brought.cited(a, plan, self) for a in cited]

    def set_action_values(self, step: Step, result: Resource) -> None:
        """Set the elements of a RequestGroup action that dynamicValues name."""
        before, values = result.copy(), step.action.action_values
        self._set_values(result, values, step.scope, step)
        self._settle(result, before, "RequestGroup.action", values, step)

    def unique_id(self, name: str) -> str:
        """Return an id that no other resource of the answer has."""
        if not _IS_ID(name):
            name = _NOT_ID.sub("-", name)[:_ID_LENGTH] or "request"
        count = self._taken[name] = self._taken.get(name, 0) + 1
        return name if count == 1 else self.unique_id(f"{name}-{count}")

    def _set_values(
        self, target: Resource, values: Iterable[DynamicValue], scope: Scope, step: Step
    ) -> None:
        """Evaluate dynamicValues and put them, the later over the earlier."""
        focus = self._session.focus
        for value in values:
            try:
                known = value.formula.evaluate_known(focus, scope.environment)
                if not known.items:
                    self._session.issues.extend(nothing_set(value, scope, step.path))
                elif value.quick is None or not value.quick(target, known.items):
                    put(target, value.path, self._brought_along(value, known.nodes()))
            except FAILURES as error:
                told = f"`{value.path.text}` was not set. {issue_of(error).diagnostics}"
                code = "value" if isinstance(error, CannotCoerce) else issue_of(error).code
                self._session.issues.append(Issue("error", code, told, (step.path,)))

    def _brought_along(self, value: DynamicValue, nodes: Sequence[Node]) -> Sequence[Node]:
        """Return the items for a Reference; what the data only contain comes along."""
        if not value.path.places or value.path.places[-1].elements[0].type != "Reference":
            return nodes
        return [self._brought.of_node(node, self._session.record, self) for node in nodes]

    def _settle(
        self,
        target: Resource,
        before: Resource,
        type_name: str,
        values: Iterable[DynamicValue],
        step: Step,
    ) -> None:
        """Make whole what values put into a target, or take it back, and report it."""
        names = dict.fromkeys(name for value in values for name in value.touches)
        if not names:
            return
        own = step.action.activity.contained if step.action.activity is not None else {}

        def within(reference: Resource) -> str | None:
            text = reference["reference"]
            name = self._brought.of_reference(reference, self._session.record, self)
            return text if name is None and text[1:] in {*self._taken, *own} else name

        every = tuple(target) if WHOLE in names else names
        self._note(settle(target, before, type_name, every, within), step)

    def _note(self, issues: Sequence[Issue], step: Step) -> None:
        """Report what is wrong with a definition at the action that uses it."""
        for issue in issues:
            self._session.issues.append(
                Issue(issue.severity, issue.code, issue.diagnostics, (step.path,))
            )

    def _for(self, activity: CompiledActivity, subject_type: str, step: Step) -> Resource | None:
        """Return what all requests of a kind share in this application, None when impossible."""
        key = (activity.resource_type, subject_type)
        try:
            common = self._common[key]
        except KeyError:
            common = self._common[key] = self._shared(activity, subject_type)
        if common is None:
            wanted = subject_type or self._session.people.subject_type
            is_named = self._session.people.of_type(wanted) is not None
            what = f"A {activity.resource_type} about a {wanted}"
            what += "" if is_named else " that the request does not name"
            self._note([issue_of(UnsupportedFeature("", what, step.path))], step)
        return common

    def _shared(self, activity: CompiledActivity, subject_type: str) -> Resource | None:
        """Return subject, encounter, requester and dates for a kind of request."""
        session, kind, name = self._session, activity.kind, activity.resource_type
        if kind is None:
            return None
        subject = session.people.of_type(subject_type)
        wanted = subject_type or session.people.subject_type
        if subject is None or not _allows(name, kind.subject, wanted):
            return None
        made: Resource = {}
        if kind.subject:
            _put(made, name, kind.subject, subject)
        if kind.encounter and session.people.encounter is not None:
            _put(made, name, kind.encounter, session.people.encounter)
        for date in (*kind.dates, *(("authoredOn",) if _has(name, "authoredOn") else ())):
            made[date] = session.today
        if kind.requester:
            requester = session.people.author(*targets_of(name, kind.requester))
            if requester is not None:
                _put(made, name, kind.requester, requester)
        return made

    def _add_people(self, resource: Resource, activity: CompiledActivity) -> None:
        """Add those who take part where the kind holds them deeper inside."""
        people = self._session.people
        if activity.resource_type == "Appointment":
            known = [people.subject]
            if people.practitioner is not None:
                known.append(people.practitioner)
            taking_part = [{"actor": actor, "status": "needs-action"} for actor in known]
            resource["participant"] = [*taking_part, *resource["participant"]]
        elif activity.recipients:
            patient = people.of_type("Patient")
            resource |= {} if patient is None else {"recipient": [patient]}


def _put(target: Resource, resource_type: str, name: str, reference: Resource) -> None:
    """Put a reference under a name, as a list where R4 has one."""
    found = type_of(resource_type)
    is_list = found is not None and found.elements[name].is_list
    target[name] = [reference] if is_list else reference


def _has(resource_type: str, name: str) -> bool:
    found = type_of(resource_type)
    return found is not None and name in found.elements


def _allows(resource_type: str, name: str, target: str) -> bool:
    """Tell whether an element may refer to a type; one without targets may refer to any."""
    targets = targets_of(resource_type, name) if name else ("Patient",)
    return not targets or target in targets
