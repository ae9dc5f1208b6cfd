"""What dynamicValues put into a request, made whole or taken back.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue and
https://hl7.org/fhir/R4/references.html

A value may lead into an element without what R4 requires there: that is marked as unknown.  It may
refer to what R4 does not take there, or to nothing: the element is as it was before.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from carepath.apply.compile.activity_elements import DATA_ABSENT
from carepath.apply.run.coercion import CannotCoerce
from carepath.issues import Issue
from carepath.r4.model import RESOURCE_TYPES, Element, Type, type_of
from carepath.resources import Resource

_UNKNOWN = {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}
_TARGET = re.compile(
    r"(?:https?://\S+/)?([A-Z]\w+)/[A-Za-z0-9.-]{1,64}(?:/_history/\S+)?"
).fullmatch
_FORM = re.compile(r"#.|urn:|https?://|[A-Z]\w+/|[A-Z]\w+\?").match

Within = Callable[[Resource], str | None]
"""Gives the name by which the answer has what a reference such as `#id` means, None for nothing."""


def settle(
    target: Resource, before: Resource, type_name: str, names: Iterable[str], within: Within
) -> list[Issue]:
    """Make what was put into some elements whole, or take it back; return what is to be known."""
    owner = type_of(type_name)
    elements = owner.elements if owner is not None else {}
    issues: list[Issue] = []
    work = _Settling(within, issues)
    for name in names:
        value, element = target.get(name), elements.get(name)
        if value is None or element is None or value is before.get(name):
            continue
        try:
            target[name] = work.element(value, element, name)
        except CannotCoerce as error:
            _take_back(target, before, element, owner)
            issues.append(Issue("error", "value", f"`{name}` was not set. {error}"))
    return issues


def _take_back(target: Resource, before: Resource, element: Element, owner: Type | None) -> None:
    """Put an element back as it was, with the other forms of a choice."""
    forms = owner.choices[element.choice] if owner is not None and element.choice else (element,)
    for name in (name for form in forms for name in (form.name, f"_{form.name}")):
        target.pop(name, None)
        if name in before:
            target[name] = before[name]


class _Settling:
    """One walk through an element; what has to be changed is copied."""

    def __init__(self, within: Within, issues: list[Issue]) -> None:
        self._within = within
        self._issues = issues

    def element(self, value: Any, element: Element, path: str) -> Any:
        """Return the value of an element; raises CannotCoerce for what cannot stay."""
        if isinstance(value, list):
            return [self.element(v, element, f"{path}[{n}]") for n, v in enumerate(value)]
        found = type_of(element.type)
        if not isinstance(value, dict) or found is None or found.kind == "primitive":
            return value
        if element.type in RESOURCE_TYPES or "resourceType" in value:
            return value
        if element.type == "Reference" and isinstance(value.get("reference"), str):
            value = self._reference(value, element)
        made = {
            name: self.element(part, found.elements[name], f"{path}.{name}")
            if name in found.elements
            else part
            for name, part in value.items()
        }
        return made | self._lacking(made, found, path)

    def _lacking(self, value: Resource, found: Type, path: str) -> Resource:
        """Return what R4 requires in an object and nobody gave, marked as unknown."""
        made: Resource = {}
        for lacking in _required(value, found):
            name = lacking.name
            if found.name == "Extension":
                raise CannotCoerce(f"the extension at `{path}` has no `{name}`")
            inner = type_of(lacking.type)
            if inner is not None and inner.kind == "primitive":
                name, unknown = f"_{name}", _UNKNOWN
            else:
                unknown = _UNKNOWN
            made[name] = [unknown] if lacking.is_list else unknown
            told = f"`{path}.{lacking.name}` is required and nothing gives it: marked as unknown."
            self._issues.append(Issue("warning", "required", told))
        return made

    def _reference(self, value: Resource, element: Element) -> Resource:
        """Return a reference that may stand where it is."""
        text = value["reference"]
        if text.startswith("#"):
            name = self._within(value)
            if name is None:
                raise CannotCoerce(f"`{text}` leads to nothing in the answer")
            return value if name == text else {**value, "reference": name}
        if not _FORM(text):
            raise CannotCoerce(f"`{text[:40]}` is no reference such as `Patient/123`")
        target = _TARGET(text)
        named = target[1] if target is not None else ""
        if named in RESOURCE_TYPES and element.targets and named not in element.targets:
            kinds = ", ".join(element.targets)
            raise CannotCoerce(f"a reference to a {named} is none to {kinds}")
        return value


def _required(value: Resource, found: Type) -> Iterable[Element]:
    """Yield the elements that R4 requires in an object and that are not there."""
    choices: set[str] = set()
    for element in found.elements.values():
        if not element.min or element.choice in choices:
            continue
        forms = found.choices[element.choice] if element.choice else (element,)
        if element.choice:
            choices.add(element.choice)
        if not any(f.name in value or f"_{f.name}" in value for f in forms):
            yield element
