"""Apply one ActivityDefinition on its own.

https://hl7.org/fhir/R4/activitydefinition-operation-apply.html
"""

from dataclasses import replace

from carepath.apply.compile.activity import CompiledActivity, reads_activity
from carepath.apply.compile.compiled import CompiledAction
from carepath.apply.compile.names import Names
from carepath.apply.run.decisive import decide_values
from carepath.apply.run.requests import Requests
from carepath.apply.run.session import Session
from carepath.apply.run.step import MET, Step
from carepath.errors import NoRequest
from carepath.issues import Issue
from carepath.resources import Resource, canonical_of


def apply_single(
    activity: CompiledActivity, session: Session
) -> tuple[Resource, tuple[Issue, ...]]:
    """Return the request and the issues; raises NoRequest when there is none."""
    requests = Requests(session)
    step = _step(activity, session)
    verdict = decide_values(step.action, step.scope, session)
    session.issues.extend(replace(problem, severity="error") for problem in verdict.problems)
    reference = None
    if verdict.outcome == MET:
        reference = requests.make(step, activity, "", is_option=False)
    own = [replace(issue, expression=()) for issue in session.issues]
    issues = (*session.request.issues, *session.record.issues(), *session.left_out(), *own)
    if reference is None:
        raise NoRequest(activity.canonical, issues)
    resource = {key: value for key, value in requests.made[0].items() if key != "id"}
    if requests.contained:
        resource["contained"] = list(requests.contained)
    return resource, issues


def _step(activity: CompiledActivity, session: Session) -> Step:
    """Return an action that consists of the definition alone."""
    title = str(activity.definition.get("title") or activity.canonical)
    action = CompiledAction(
        source={},
        key=canonical_of(activity.definition),
        title=title,
        template={},
        brief={},
        subject_type="",
        conditions=(),
        read_names=(),
        any_condition=False,
        children=(),
        offers_options=False,
        activity=activity,
        plan=None,
        reference=None,
        definition=activity.canonical,
        dynamic_values=(),
        action_values=(),
        decisive=activity.decisive,
        related=(),
        participants=(),
        goal_ids=(),
        names=None,
        statements=(),
        direction="for",
        conflicts=(),
        reads_gaps=False,
        reads_activity=reads_activity((), activity),
        joined_as="",
        issues=(),
    )
    names = activity.names[0] if activity.names else Names("")
    return Step(action, "", "", session.scope_of(names), MET, (), (), None, 0)
