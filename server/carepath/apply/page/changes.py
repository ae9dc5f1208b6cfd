"""What has become of an earlier plan: new, ended, changed and still open, with the facts behind.

https://hl7.org/fhir/R4/requestgroup-definitions.html#RequestGroup.action

A step of the earlier CarePlan is known again by its title and those of the groups around it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from carepath.apply.explain.because import called, facts_told
from carepath.apply.page.items import full_text, title_of
from carepath.apply.page.order import Placed, due
from carepath.apply.page.reasons import Reasons, told_of
from carepath.apply.page.sheet import Change, Changes, Told
from carepath.apply.run.step import MET, UNDETERMINED, Step
from carepath.apply.run.walk import Walk
from carepath.errors import InvalidParameter, InvalidResource
from carepath.resources import Resource
from carepath.validation import check_structure

_MOST_REASONS = 3
_UNCHANGING = ("waiting", "question", "leaflet")
"""What is no news: nobody acts on it, or the page asks for it anyway."""
Key = tuple[str, ...]
"""The titles of the groups around a step, from the outside in, and its own."""


class Before(NamedTuple):
    """One step as the earlier plan held it."""

    action: Resource
    request: Resource


def changes(walk: Walk, ordered: Iterable[Placed], reasons: Reasons) -> Changes | None:
    """Return how the plan differs from the earlier one, None when there is none.

    Raises InvalidParameter when what was given is no CarePlan of `$apply`, or another patient's,
    and InvalidResource when it is no FHIR.
    """
    plan = walk.session.request.previous_plan
    if plan is None:
        return None
    contained = _contained(plan, walk.session.people.subject_in("CarePlan"))
    earlier = dict(_flat(_group(contained), dict(contained), ()))
    now = {_key(one): one for one in ordered if one.part not in _UNCHANGING}
    beside = {_key(one) for one in ordered if one.part in _UNCHANGING}
    pairs = [(one, _differences(earlier[key], one)) for key, one in now.items() if key in earlier]
    return Changes(
        date=_date(contained),
        new=tuple(_new(one, reasons) for key, one in now.items() if key not in earlier),
        ended=tuple(
            _ended(key, walk)
            for key in earlier
            if key not in now and key not in beside and _is_news(key, walk)
        ),
        changed=tuple(
            Change(title_of(one.step), reasons.of(one.step), found) for one, found in pairs if found
        ),
        still_open=tuple(Change(title_of(one.step)) for one, found in pairs if not found),
    )


def _contained(plan: Resource, subject: Resource) -> Mapping[str, Resource]:
    """Return what an earlier plan contains, by reference."""
    expected = "a CarePlan that `$apply` returned"
    if plan.get("resourceType") != "CarePlan":
        raise InvalidParameter("previousPlan", plan.get("resourceType"), expected)
    problems = [issue for issue in check_structure(plan) if issue.is_error]
    if problems:
        raise InvalidResource(problems)
    theirs = (plan.get("subject") or {}).get("reference")
    is_other = "extension" in subject and plan.get("subject") != subject
    if is_other or theirs != subject.get("reference"):
        named = theirs or "a CarePlan of nobody who can be told"
        raise InvalidParameter("previousPlan", named, "a CarePlan of the same patient")
    found = {f"#{r.get('id')}": r for r in plan.get("contained") or ()}
    if not any(r.get("resourceType") == "RequestGroup" for r in found.values()):
        raise InvalidParameter("previousPlan", "no RequestGroup", expected)
    return found


def _group(contained: Mapping[str, Resource]) -> Resource:
    return next(r for r in contained.values() if r.get("resourceType") == "RequestGroup")


def _flat(
    holder: Resource, contained: dict[str, Resource], above: Key
) -> Iterator[tuple[Key, Before]]:
    """Yield the steps below an action that propose something, by their titles.

    A nested CarePlan is looked into once, and taken out of what is contained.
    """
    for action in holder.get("action") or ():
        title = str(action.get("title") or (action.get("resource") or {}).get("display") or "")
        is_request_of_group = bool(above) and title == above[-1] and "id" not in action
        key = above if is_request_of_group else (*above, title)
        reference = str((action.get("resource") or {}).get("reference"))
        made = contained.get(reference, {})
        if "action" in action:
            yield from _flat(action, contained, key)
        elif made.get("resourceType") == "CarePlan":
            del contained[reference]
            yield from _flat(_group_of(made, contained), contained, key)
        else:
            yield key, Before(action, made)


def _group_of(nested: Resource, contained: Mapping[str, Resource]) -> Resource:
    """Return the RequestGroup of a nested CarePlan, an empty one when it has none."""
    references = (
        str((a.get("reference") or {}).get("reference")) for a in nested.get("activity", ())
    )
    return next((contained[r] for r in references if r in contained), {})


def _key(one: Placed) -> Key:
    return tuple(title_of(level) for level in (*reversed(one.around), one.step))


def _new(one: Placed, reasons: Reasons) -> Change:
    return Change(title_of(one.step), reasons.of(one.step))


def _is_news(key: Key, walk: Walk) -> bool:
    """Tell whether the end of a step is: not that of a question, nor of a group that holds nothing.

    Such a group still applies.
    """
    step = _deciding(key, walk.steps)
    if step is None:
        return True
    is_group = step.outcome == MET and step.depth == len(key) - 1
    return not (is_group or step.action.reads_gaps)


def _ended(key: Key, walk: Walk) -> Change:
    """Return why a step is no longer proposed: the facts of the first action that says no."""
    step = _deciding(key, walk.steps)
    if step is None or step.outcome == MET:
        return Change(key[-1])
    if step.outcome == UNDETERMINED:
        return Change(key[-1], details=tuple(called(step, name) for name in step.missing))
    told: tuple[Told, ...] = tuple(told_of(value) for value in facts_told(step).values())
    return Change(key[-1], told[:_MOST_REASONS])


def _deciding(key: Key, steps: Iterable[Step]) -> Step | None:
    """Return the outermost action on the way to a step that does not apply, else the step."""
    depth, found = 0, None
    for step in steps:
        if step.depth == depth and step.depth < len(key) and title_of(step) == key[depth]:
            found = step
            if step.outcome != MET:
                return step
            depth += 1
        elif step.depth < depth:
            break
    return found


def _differences(before: Before, one: Placed) -> tuple[str, ...]:
    """Return what a reader would notice: urgency, dates, and what to do."""
    step, made = one.step, one.step.made or {}
    was = before.request.get("priority") or before.action.get("priority") or "routine"
    found = []
    if was != (made.get("priority") or (step.result or {}).get("priority") or "routine"):
        found.append("priority")
    if due(before.request) != due(made):
        found.append("date")
    text = str(before.action.get("textEquivalent") or before.action.get("description") or "")
    if full_text(step) not in (text, ""):
        found.append("text")
    return tuple(found)


def _date(contained: Mapping[str, Resource]) -> str:
    """Return the day of the earlier plan: that of its requests."""
    return next((str(r["authoredOn"])[:10] for r in contained.values() if "authoredOn" in r), "")
