"""What differs between two plans for one patient, by action.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html

Two plans differ where an action has another outcome, waits for other facts, or gives another
request or another action of the RequestGroup.  That its reason alone is told in other words makes
no other plan, and neither does a new version of a definition that says the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carepath.apply import Applied, Decision
from carepath.resources import Resource

ABSENT = "absent"
_WHOLE = ("title", "description", "note", "addresses")
"""What the CarePlan says beside its actions and goals."""
_NO_SUCH = {True: "It is no goal of the plan.", False: "There is no such action."}


@dataclass(frozen=True, slots=True)
class Side:
    """An action as one content has it: `met`, `not-met`, `undetermined` or `absent`, and why."""

    outcome: str
    because: str


@dataclass(frozen=True, slots=True)
class ActionDifference:
    """An action that differs; `elements` are those that do where the outcome is the same."""

    path: str
    title: str
    before: Side
    after: Side
    elements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a plan: what it is called, how it was decided, what it gives."""

    title: str
    side: Side
    content: Mapping[str, Any] = field(default_factory=dict)
    is_proposed: bool = False


def differences_between(before: Applied, after: Applied) -> tuple[ActionDifference, ...]:
    """Return what differs between two plans, in the order of the second.

    What stands below an action with another outcome is told where it is proposed by one of them:
    the rest follows from that action.
    """
    old, new = _parts(before), _parts(after)
    told: list[ActionDifference] = []
    for path in (*new, *(path for path in old if path not in new)):
        one = _difference(path, old, new)
        follows = any(_is_below(path, above) for above in told if not above.elements)
        proposed = any(path in parts and parts[path].is_proposed for parts in (old, new))
        if one is not None and (proposed or not follows):
            told.append(one)
    return tuple(told)


def _is_below(path: str, above: ActionDifference) -> bool:
    return path.startswith(f"{above.path}/")


def _difference(
    path: str, old: Mapping[str, _Part], new: Mapping[str, _Part]
) -> ActionDifference | None:
    """Return how an action differs, None when it does not."""
    title = (new.get(path) or old[path]).title
    sides = _side(path, old), _side(path, new)
    if len({_NOWHERE.get(side.outcome, side.outcome) for side in sides}) > 1:
        return ActionDifference(path, title, *sides)
    was, now = (parts[path].content if path in parts else {} for parts in (old, new))
    names = dict.fromkeys((*now, *was))
    elements = tuple(name for name in names if was.get(name) != now.get(name))
    return ActionDifference(path, title, *sides, elements) if elements else None


_NOWHERE = {"not-met": ABSENT}
"""What does not apply and what is not there are the same to a patient."""


def _side(path: str, parts: Mapping[str, _Part]) -> Side:
    """Return how an action was decided; one that is absent has the reason of the group above."""
    if path in parts:
        return parts[path].side
    above = path.rpartition("/")[0]
    while above and above not in parts:
        above = above.rpartition("/")[0]
    group = parts.get(above)
    if group is None or group.side.outcome == "met":
        return Side(ABSENT, _NO_SUCH[path.startswith("Goal/")])
    return Side(ABSENT, f"Part of “{group.title}”: {group.side.because}")


def _parts(applied: Applied) -> dict[str, _Part]:
    """Return the parts of a plan by their paths; of several with one path all are kept."""
    parts: dict[str, _Part] = {}
    for decision, step in zip(applied.decisions, applied.steps, strict=True):
        action = _named("action", step.result or {}, _OF_ACTION)
        content = {**action, **_named("request", step.own or {}, {"id"})}
        if decision.outcome == "undetermined":
            content["missing facts"] = sorted(decision.missing)
        path, number = decision.path, 2
        while path in parts:
            path, number = f"{decision.path} ({number})", number + 1
        side = Side(decision.outcome, decision.because)
        parts[path] = _Part(_title(decision), side, content, decision.request is not None)
    parts.update(_beside_actions(applied.care_plan()))
    return parts


_OF_ACTION = {"id", "resource", "action"}
"""What only says where in the answer something stands."""


def _named(of: str, resource: Resource, left_out: set[str]) -> dict[str, Any]:
    """Return the elements of a resource with its name before theirs."""
    return {f"{of}.{n}": _unversioned(n, v) for n, v in resource.items() if n not in left_out}


def _unversioned(name: str, value: Any) -> Any:
    """Return a value with the canonicals in it as they are without their versions."""
    if isinstance(value, dict):
        return {key: _unversioned(key, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unversioned(name, inner) for inner in value]
    if isinstance(value, str) and name.endswith("Canonical"):
        return value.partition("|")[0]
    return value


def _title(decision: Decision) -> str:
    return decision.title or decision.id


def _beside_actions(care_plan: Resource) -> Iterator[tuple[str, _Part]]:
    """Yield the CarePlan itself and its goals as parts."""
    whole = _named("CarePlan", {n: care_plan[n] for n in _WHOLE if n in care_plan}, set())
    yield "CarePlan", _Part("The plan as a whole", Side("met", "It is what the plan says."), whole)
    for resource in care_plan.get("contained") or ():
        if resource.get("resourceType") == "Goal":
            words = str((resource.get("description") or {}).get("text") or resource["id"])
            side = Side("met", "It is a goal of the plan.")
            yield f"Goal/{resource['id']}", _Part(words, side, _named("Goal", resource, {"id"}))
