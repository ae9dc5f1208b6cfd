"""A request that a dynamicValue makes about somebody else than the subject.

https://hl7.org/fhir/R4/activitydefinition.html#12.17.3.3
"""

from carepath.issues import Issue
from carepath.resources import Resource


def about_another(resource: Resource, element: str, common: Resource) -> tuple[Issue, ...]:
    """Return a warning when the subject of a request is no longer the one it was made for.

    `element` is where the request holds its subject, `common` what was put there first.
    """
    was, now = common.get(element), resource.get(element)
    if not element or now is was or _name(now) == _name(was):
        return ()
    text = f"A dynamicValue set `{element}` to another than the one whom the plan is applied to."
    return (Issue("warning", "business-rule", text),)


def _name(reference: object) -> object:
    first = reference[0] if isinstance(reference, list) and reference else reference
    return first.get("reference") if isinstance(first, dict) else first
