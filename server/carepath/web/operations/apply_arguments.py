"""What `$apply` is given beside the data, as elements of an ApplyRequest: for HTTP and commands.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import re
from typing import Any

from carepath.apply.request import EXPLAIN, READERS
from carepath.errors import InvalidParameter
from carepath.r4.model import RESOURCE_TYPES
from carepath.resources import parameter_values
from carepath.web.operations.model import Arguments, Terms

APPLY = Terms(
    bare="data",
    once={"subject": "one subject; `$r5.apply` answers for several"},
)
_PEOPLE = {
    "encounter": ("Encounter",),
    "practitioner": ("Practitioner", "PractitionerRole", "Device"),
    "organization": ("Organization",),
}
_CIRCUMSTANCES = {
    "userType": "user_type",
    "userLanguage": "user_language",
    "userTaskContext": "user_task_context",
    "setting": "setting",
    "settingContext": "setting_context",
}
_CHOICES: dict[str, tuple[str, ...]] = {"explain": EXPLAIN, "narrative": READERS}
_NO_REFERENCE = re.compile(r"[\s<>\"{}|\\^`]")
_FORM = re.compile(r"(?:https?|urn):.|[A-Z]\w+[/?].").match
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}").fullmatch


def request_fields(arguments: Arguments) -> dict[str, Any]:
    """Return who asks, where, and the parameters of the content, by element of an ApplyRequest.

    Raises InvalidParameter for a reference that cannot mean what the parameter is for.
    """
    people = {name: _reference(arguments, name) for name in _PEOPLE}
    circumstances = {field: _one(arguments, name) for name, field in _CIRCUMSTANCES.items()}
    parameters = parameter_values(_one(arguments, "parameters"))
    shown = {name: _choice(arguments, name) for name in _CHOICES if name in arguments}
    previous = _one(arguments, "previousPlan")
    merge = _one(arguments, "mergeNestedCarePlans") is not False
    return {
        **people,
        **circumstances,
        **shown,
        "parameters": parameters,
        "previous_plan": previous,
        "merge_nested_care_plans": merge,
        "provenance": _one(arguments, "provenance") is True,
    }


def _choice(arguments: Arguments, name: str) -> str:
    """Return a code that the operation knows; raise for any other."""
    code: str = _one(arguments, name)
    if code not in _CHOICES[name]:
        expected = ", ".join(f"`{known}`" for known in _CHOICES[name])
        raise InvalidParameter(name, code, f"one of {expected}")
    return code


def _one(arguments: Arguments, name: str) -> Any:
    values = arguments.get(name)
    return values[0] if values else None


def _reference(arguments: Arguments, name: str) -> str | None:
    """Return the reference in a parameter, an id as that of the type that is meant first.

    Raises InvalidParameter when it cannot mean what the parameter is for.
    """
    text: str | None = _one(arguments, name)
    if text is None:
        return None
    types = _PEOPLE[name]
    if _ID(text):
        return f"{types[0]}/{text}"
    named = text.partition("/_history/")[0].rpartition("/")[0].rpartition("/")[2]
    is_other = not _FORM(text) or (named and ":" not in text and named not in RESOURCE_TYPES)
    if is_other or _NO_REFERENCE.search(text) or (named in RESOURCE_TYPES and named not in types):
        raise InvalidParameter(name, text, f"a reference such as `{types[0]}/123`")
    return text
