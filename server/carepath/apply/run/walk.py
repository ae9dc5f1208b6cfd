"""Apply a PlanDefinition to a patient: the outline of the operation.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3

1. Goals: those that an applied action refers to, and those that no action refers to.
2. Actions in the order of the plan, depth first: applicability decides, start and stop are carried.
3. An applied action becomes a RequestGroup action; its definition becomes a request, a nested
   group or a reference.
4. Relations between actions are kept where both ends came out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from carepath import deadline
from carepath.apply.compile.compiled import CompiledAction, CompiledPlan
from carepath.apply.run.applicability import Verdict, decide
from carepath.apply.run.decisive import decide_values
from carepath.apply.run.goals import Goals
from carepath.apply.run.nested import NestedPlan
from carepath.apply.run.questions import Undecided
from carepath.apply.run.reports import dangling_issue, undetermined_issue, with_path
from carepath.apply.run.requests import Requests
from carepath.apply.run.scope import Scope
from carepath.apply.run.session import Session
from carepath.apply.run.step import MET, NOT_MET, UNDETERMINED, Step
from carepath.issues import Issue
from carepath.resources import Resource


@dataclass(slots=True, eq=False)
class Frame:
    """Where the walk is: what holds for all actions of one group."""

    path: str
    plan: CompiledPlan
    scope: Scope
    ids: dict[str, str]
    """Ids of this use of the plan as they stand in the plan and in the result."""
    depth: int
    subject_type: str
    is_option: bool
    reason: Step | None
    blocked: tuple[str, ...] | None
    """What is missing for a group above that is undetermined; None when none is."""
    outer: "Frame | None" = None
    """The frame of the plan that this one is nested in."""
    care_plan: str = ""
    """The id of the nested CarePlan that the actions are in; empty for the answer itself."""


class Walk:
    """One walk over a plan; afterwards it holds steps, RequestGroup actions, requests and goals."""

    def __init__(self, plan: CompiledPlan, session: Session) -> None:
        self.plan = plan
        self.session = session
        self.steps: list[Step] = []
        self.requests = Requests(session)
        self.goals = Goals(session)
        self.actions: list[Resource] = []
        self.plans: list[CompiledPlan] = []
        self.nested: list[NestedPlan] = []
        """The nested plans that keep CarePlans of their own, in the order of the walk."""
        self.closed: Issue | None = None
        """Why nothing is proposed for this patient at all; None for the living."""
        self._ids: dict[str, int] = {}
        self._in_full = session.request.explain == "full"
        self._related: list[tuple[Resource, Step, Frame]] = []

    def run(self) -> None:
        """Walk the whole plan."""
        if self.session.request.parameters:
            self.session.note_unread_parameters(self.plan.parameters)
        frame = self._enter(self.plan, self.plan.key, None)
        if not self.plan.reads_death:
            # `Patient.deceased` is a modifier element: who does not read it may not go on.
            self.closed = self.session.record.closed
        if self.closed is not None:
            self.session.issues.append(self.closed)
            return
        self.actions = self._all(self.plan.actions, frame)
        self._relate()

    def _enter(self, plan: CompiledPlan, path: str, outer: Frame | None) -> Frame:
        """Return the frame of a plan, the outermost or a nested one, and note its issues."""
        session = self.session
        scope = session.scope_of_plan(plan, outer.scope if outer is not None else None)
        for issue in plan.issues:
            session.issues.append(replace(issue, expression=(path,)))
        self.goals.enter(plan)
        if plan not in self.plans:
            self.plans.append(plan)
        if outer is None:
            return Frame(path, plan, scope, {}, 0, plan.subject_type, False, None, None)
        return replace(
            outer,
            path=path,
            plan=plan,
            scope=scope,
            ids={},
            subject_type=plan.subject_type or outer.subject_type,
            outer=outer,
        )

    def _all(self, actions: Iterable[CompiledAction], frame: Frame) -> list[Resource]:
        """Apply actions in order; return the RequestGroup actions of those that apply."""
        return [made for action in actions if (made := self._one(action, frame)) is not None]

    def _first(self, actions: Iterable[CompiledAction], frame: Frame) -> list[Resource]:
        """Apply only the first applicable action; one that cannot be decided blocks those after."""
        for action in actions:
            count = len(self.steps)
            if (result := self._one(action, frame)) is not None:
                return [result]
            step = self.steps[count]
            if step.outcome == UNDETERMINED:
                self._hide_next(step)
                frame = replace(frame, blocked=(*(frame.blocked or ()), *step.missing))
        return []

    def _one(self, action: CompiledAction, frame: Frame) -> Resource | None:
        """Decide one action, and make what follows from it."""
        deadline.check()
        session = self.session
        scope = frame.scope
        if action.names is not None:
            scope = Scope(action.names, session, scope)
        if frame.plan.reads_action:
            scope["action"] = session.action_node(action.source)
        verdict = decide(action, scope)
        if action.decisive and verdict.outcome == MET:
            verdict = decide_values(action, scope, session)
        if frame.blocked is not None and verdict.outcome != NOT_MET:
            missing = tuple(dict.fromkeys((*frame.blocked, *verdict.missing)))
            verdict = Verdict(UNDETERMINED, missing, verdict.problems)
        path = f"{frame.path}/{action.key}"
        step = Step(
            action,
            path,
            frame.plan.key,
            scope,
            verdict.outcome,
            verdict.missing,
            verdict.problems,
            frame.reason,
            frame.depth,
        )
        step.is_blocked = frame.blocked is not None
        self.steps.append(step)
        if verdict.outcome == MET:
            return self._apply(step, frame)
        if verdict.outcome == UNDETERMINED:
            self._report(step, frame)
        return None

    def _report(self, step: Step, frame: Frame) -> None:
        """Report an action that nobody can decide, and what would come of those below it."""
        action = step.action
        if step.problems:
            self.session.issues.extend(with_path(step, problem) for problem in step.problems)
        elif frame.blocked is None:
            self.session.issues.append(undetermined_issue(step, in_full=self._in_full))
        if not action.reads_gaps:
            self.session.gaps.extend((name, action.title) for name in step.missing)
        count = len(self.steps)
        inside = replace(
            frame, path=step.path, scope=step.scope, depth=frame.depth + 1, blocked=step.missing
        )
        self._all(action.children, inside)
        if action.plan is not None:
            self._all(action.plan.actions, self._enter(action.plan, step.path, inside))
        if frame.blocked is None:
            self._wait(step, self.steps[count:])

    def _wait(self, step: Step, below: Iterable[Step]) -> None:
        """Note an undetermined action that no other hides, with what waits for it below."""
        if not step.action.reads_gaps:
            waiting = tuple(inner for inner in below if inner.outcome == UNDETERMINED)
            self.session.undecided.append(Undecided(step, waiting))

    def _hide_next(self, step: Step) -> None:
        """Note that what comes after an undetermined action in its group waits for it."""
        for undecided in self.session.undecided[-1:]:
            undecided.hides_next |= undecided.step is step

    def _apply(self, step: Step, frame: Frame) -> Resource:
        """Return the RequestGroup action of an action that applies."""
        action, session = step.action, self.session
        result = (action.template if self._in_full else action.brief).copy()
        step.result = result
        if "id" in result:
            result["id"] = frame.ids[action.key] = self._unique(action.key)
        for issue in action.issues:
            session.issues.append(replace(issue, expression=(step.path,)))
        for goal in action.goal_ids:
            self.goals.refer(frame.plan, goal)
        if action.participants:
            people = session.people
            result["participant"] = [people.participant(p) for p in action.participants]
        if "documentation" in result:
            self.requests.cite(result, frame.plan.source)
        if action.related:
            self._related.append((result, step, frame))
        self._fill(step, frame, result)
        if action.action_values:
            self.requests.set_action_values(step, result)
        return result

    def _fill(self, step: Step, frame: Frame, result: Resource) -> None:
        """Give the result what R4 wants: a resource, or actions, never both and never neither."""
        action = step.action
        subject_type = action.subject_type or frame.subject_type
        resource = self._resource(step, frame, subject_type)
        inside: list[Resource] = []
        if action.children or action.plan is not None:
            below = Frame(
                path=step.path,
                plan=frame.plan,
                scope=step.scope,
                ids=frame.ids,
                depth=frame.depth + 1,
                subject_type=subject_type,
                is_option=frame.is_option or action.offers_options,
                reason=step if action.conditions else frame.reason,
                blocked=frame.blocked,
                outer=frame.outer,
                care_plan=frame.care_plan,
            )
            if action.plan is not None and not self.session.request.merge_nested_care_plans:
                resource = self._apart(action.plan, step, below)
            elif action.plan is not None:
                nested = self._enter(action.plan, step.path, below)
                inside = self._all(action.plan.actions, nested)
            each = self._first if action.first_child_only else self._all
            inside += each(action.children, below)
        if not inside:
            result["resource"] = resource or {"display": action.title or action.key}
        elif resource is not None:
            result["action"] = [{"title": action.title, "resource": resource}, *inside]
        else:
            result["action"] = inside

    def _apart(self, plan: CompiledPlan, step: Step, below: Frame) -> Resource:
        """Apply a nested plan to a CarePlan of its own; return the Reference to it."""
        id_ = self.requests.unique_id(plan.key)
        group = self.requests.unique_id(f"{id_}-request-group")
        part = NestedPlan(plan, id_, group, below.care_plan, [])
        self.nested.append(part)
        inner = replace(self._enter(plan, step.path, below), care_plan=id_)
        part.actions.extend(self._all(plan.actions, inner))
        return {"reference": f"#{id_}"}

    def _resource(self, step: Step, frame: Frame, subject_type: str) -> Resource | None:
        """Return the Reference to what the definition of an action becomes, None without one."""
        action = step.action
        if action.activity is not None:
            return self.requests.make(
                step, action.activity, subject_type, is_option=frame.is_option
            )
        if action.reference is not None:
            return self.requests.refer(action, frame.plan.source)
        return None

    def _unique(self, id_: str) -> str:
        """Return an action id that is not taken yet."""
        count = self._ids.get(id_, 0) + 1
        self._ids[id_] = count
        if count == 1:
            return id_
        return self._unique(f"{id_[:58]}-{count}")

    def _relate(self) -> None:
        """Keep the relations whose targets came out; report the others."""
        for result, step, frame in self._related:
            kept = []
            for related in step.action.related:
                target, is_here = self._target(str(related.get("actionId")), frame)
                if target and is_here:
                    kept.append({**related, "actionId": target})
                else:
                    told = dangling_issue(step, related, is_elsewhere=bool(target))
                    self.session.issues.append(told)
            if kept:
                result["relatedAction"] = kept

    def _target(self, id_: str, frame: Frame) -> tuple[str, bool]:
        """Return the id that an action of this plan, or of one around it, has in the result.

        It is empty when no such action came out; also told is whether it is in the same CarePlan.
        """
        current: Frame | None = frame
        while current is not None:
            if id_ in current.ids:
                return current.ids[id_], current.care_plan == frame.care_plan
            current = current.outer
        return "", False
