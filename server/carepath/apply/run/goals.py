"""Goals of a plan as Goals of the patient.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.goal
"""

from collections.abc import Callable
from typing import Any

from carepath.apply.compile.compiled import CompiledPlan
from carepath.apply.run.session import Session
from carepath.deadline import paced
from carepath.resources import Resource, codings

_TARGET = (
    ("measure", "measure"),
    ("detailQuantity", "detailQuantity"),
    ("detailRange", "detailRange"),
    ("detailCodeableConcept", "detailCodeableConcept"),
    ("due", "dueDuration"),
)
_TARGET_MEASURE_ABSENT = {"text": "As described by the goal"}


class Goals:
    """Collects which goals are pursued and makes them; the order is that of the plans."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._plans: list[CompiledPlan] = []
        self._wanted: set[tuple[int, str]] = set()
        self._made: dict[int, list[Resource]] = {}
        self.addressed: list[Resource] = []

    def enter(self, plan: CompiledPlan) -> None:
        """Note that a plan is applied."""
        if plan.goals and not any(known is plan for known in self._plans):
            self._plans.append(plan)

    def refer(self, plan: CompiledPlan, goal_id: str) -> None:
        """Note that an applied action pursues a goal of its plan."""
        self._wanted.add((id(plan), goal_id))

    def make(self, unique_id: Callable[[str], str]) -> list[Resource]:
        """Return the Goals: those an applied action refers to, and those no action refers to."""
        made: list[Resource] = []
        for plan in self._plans:
            for number, goal in enumerate(paced(plan.goals), start=1):
                goal_id = str(goal.get("id", ""))
                if goal_id in plan.all_goal_ids and (id(plan), goal_id) not in self._wanted:
                    continue
                one = self._goal(goal, unique_id(f"goal-{goal_id or number}"))
                self._made.setdefault(id(plan), []).append(one)
                made.append(one)
        return made

    def of_plan(self, plan: CompiledPlan) -> list[Resource]:
        """Return the Goals that were made for one plan."""
        return self._made.get(id(plan), [])

    def _goal(self, goal: Resource, id_: str) -> Resource:
        """Return one Goal."""
        made: Resource = {"resourceType": "Goal", "id": id_}
        if "extension" in goal:
            made["extension"] = goal["extension"]
        made["lifecycleStatus"] = "proposed"
        if "category" in goal:
            made["category"] = [goal["category"]]
        if "priority" in goal:
            made["priority"] = goal["priority"]
        made["description"] = goal.get("description") or {"text": id_}
        made["subject"] = self._session.people.subject_in("Goal")
        if "start" in goal:
            made["startCodeableConcept"] = goal["start"]
        targets = [_target(target) for target in goal.get("target") or ()]
        if targets:
            made["target"] = targets
        addressed = [
            r for concept in goal.get("addresses") or () for r in self._conditions(concept)
        ]
        if addressed:
            made["addresses"] = addressed
            self.addressed.extend(r for r in addressed if r not in self.addressed)
        return made

    def _conditions(self, concept: Any) -> list[Resource]:
        """Return references to the patient's Conditions with one of the concept's codes."""
        record = self._session.record
        wanted = [
            f"{coding['system']}|{coding['code']}" if "system" in coding else str(coding["code"])
            for coding in codings(concept)
            if "code" in coding
        ]
        found = record.with_codes("Condition", "code", wanted)
        references = map(record.reference_to, found)
        return [{"reference": reference} for reference in references if reference]


def _target(target: Resource) -> Resource:
    """Return a target; a detail without a measure gets one, as R4 demands (gol-1)."""
    made = {name: target[element] for element, name in _TARGET if element in target}
    if "measure" not in made and any(name.startswith("detail") for name in made):
        made = {"measure": _TARGET_MEASURE_ABSENT, **made}
    return made
