"""The table of rules, and the walk that applies them.

https://hl7.org/fhir/R4/validation.html
"""

from collections.abc import Iterator

from carepath.issues import Issue
from carepath.validation.rules import bundles, definitions, structure_definitions, values
from carepath.validation.rules.codes import Codes, code_issues, include_issues
from carepath.validation.rules.rule import Rules, fault, is_absolute
from carepath.validation.walker import Item, children, every

_RULES: Rules = {
    **bundles.RULES,
    **definitions.RULES,
    **structure_definitions.RULES,
    **values.RULES,
}
_CODED = {
    "Coding": code_issues,
    "Quantity": code_issues,
    "ValueSet.compose.exclude": include_issues,
    "ValueSet.compose.include": include_issues,
}


def rule_issues(item: Item, codes: Codes) -> Iterator[Issue]:
    """Yield what breaks a rule in an element, or in any below it."""
    for below in every(item):
        for name in {below.definition, below.type} & _RULES.keys():
            yield from _RULES[name](below)
        for name in {below.definition, below.type} & _CODED.keys():
            yield from _CODED[name](below, codes)
        if below.type != "Extension":
            yield from _extension_urls(below)
        if below.value is None and not below.members.get("extension"):
            yield fault(below.path, "has an id and nothing else", "structure")


def _extension_urls(holder: Item) -> Iterator[Issue]:
    """Yield extensions without an absolute URL; only parts of another one may have a name."""
    if holder.members.get("extension") or holder.members.get("modifierExtension"):
        for one in children(holder):
            if one.type == "Extension" and not is_absolute(one.members.get("url")):
                yield fault(f"{one.path}.url", "is not an absolute URL")
