"""A plan in the form that is walked: everything that does not depend on the patient is done.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3
"""

from dataclasses import dataclass

from carepath.apply.compile.activity import CompiledActivity
from carepath.apply.compile.dynamic_value import DynamicValue
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Names
from carepath.issues import Issue
from carepath.resources import Resource


@dataclass(slots=True, eq=False)
class CompiledAction:
    """One action of a plan.

    `template` is the RequestGroup action without what depends on the patient, `key` what stands
    for the action in paths and ids, `activity` and `plan` what its definition leads to.
    """

    source: Resource
    key: str
    title: str
    template: Resource
    brief: Resource
    """The template without what the request or the definition says as well."""
    subject_type: str
    conditions: tuple[Formula, ...]
    read_names: tuple[str, ...]
    any_condition: bool
    children: tuple["CompiledAction", ...]
    offers_options: bool
    activity: CompiledActivity | None
    plan: "CompiledPlan | None"
    reference: Resource | None
    definition: str | None
    dynamic_values: tuple[DynamicValue, ...]
    action_values: tuple[DynamicValue, ...]
    decisive: tuple[DynamicValue, ...]
    """The values, also of its activity, without which nobody knows what the request means."""
    related: tuple[Resource, ...]
    participants: tuple[Resource, ...]
    goal_ids: tuple[str, ...]
    names: Names | None
    statements: tuple[str, ...]
    direction: str
    conflicts: tuple[str, ...]
    reads_gaps: bool
    reads_activity: bool
    """A value of its request reads `%activityDefinition`."""
    joined_as: str
    """Requests of actions that share this name are made as one; empty for one of its own."""
    issues: tuple[Issue, ...]
    modifiers: tuple[str, ...] = ()
    """What changes its meaning and is not understood."""

    @property
    def first_child_only(self) -> bool:
        """Tell whether only the first of its actions that applies is taken."""
        return self.any_condition and bool(self.children)

    @property
    def is_leaf(self) -> bool:
        """Tell whether nothing stands below the action: no action and no plan."""
        return not self.children and self.plan is None

    @property
    def expression(self) -> str | None:
        """Return the conditions as one text, None when there is none."""
        if not self.conditions:
            return None
        if len(self.conditions) == 1:
            return self.conditions[0].text
        word = " or " if self.any_condition else " and "
        return word.join(f"({condition.text})" for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of care, and the expression that tells whether it is behind the patient."""

    title: str
    past: Formula | None


@dataclass(slots=True, eq=False)
class CompiledPlan:
    """One PlanDefinition."""

    source: Resource
    canonical: str
    key: str
    title: str
    names: Names
    actions: tuple[CompiledAction, ...]
    goals: tuple[Resource, ...]
    subject_type: str
    disclaimers: tuple[str, ...]
    expiries: tuple[tuple[str, str], ...]
    reads_action: bool
    is_acyclic: bool
    """It leads into no circle, so it is the same whatever leads to it."""
    size: int
    """How many actions it has, with those of the plans that it leads to."""
    depth: int
    """How many levels of actions stand inside each other, plans that it leads to included."""
    reads_death: bool
    """The plan itself asks whether the patient has died, so it may be applied to the dead."""
    parameters: frozenset[str]
    """The names that a parameter may have: those declared, and those that nothing else defines."""
    issues: tuple[Issue, ...]
    all_goal_ids: frozenset[str]
    phases: tuple[Phase, ...]
    """The phases of care that the plan leads through, in their order."""
    unreviewed: frozenset[str]
    """The labels of the sources that nobody has reviewed."""

    @property
    def instantiated(self) -> Resource:
        """Return which plan an answer instantiates; one without a URL has no canonical."""
        if not isinstance(self.source.get("url"), str):
            return {}
        return {"instantiatesCanonical": [self.canonical]}
