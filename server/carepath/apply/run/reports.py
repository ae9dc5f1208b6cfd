"""What is told of actions that cannot be decided, and of relations that lead to nothing.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3
"""

from carepath.apply.run.step import Step
from carepath.issues import Issue
from carepath.resources import Resource


def undetermined_issue(step: Step, *, in_full: bool) -> Issue:
    """Return the issue that says which action is left out, and what is missing.

    In full it shows the condition, which a decision always does.
    """
    what = f"`{step.action.expression}`" if in_full else f"“{step.action.title}”"
    text = f"`{step.path}` is undetermined and was left out: {what} "
    if step.missing:
        text += "needs " + ", ".join(f"`{name}`" for name in step.missing) + "."
    else:
        text += "gives no answer."
    return Issue("warning", "incomplete", text, (step.path,))


def with_path(step: Step, problem: Issue) -> Issue:
    """Return why a condition could not be evaluated, with the action that it leaves out."""
    text = f"`{step.path}` is undetermined and was left out. {problem.diagnostics}"
    return Issue(problem.severity, problem.code, text, (step.path,))


def dangling_issue(step: Step, related: Resource, *, is_elsewhere: bool) -> Issue:
    """Return the issue for a relation whose target is not in the same RequestGroup."""
    where = "is in the RequestGroup of another CarePlan" if is_elsewhere else "is not in the result"
    text = (
        f"The relation `{related.get('relationship')}` to the action `{related.get('actionId')}` "
        f"was left out: that action {where}."
    )
    return Issue("warning", "not-found", text, (step.path,))
