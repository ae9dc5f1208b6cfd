"""What of a definition cannot be read safely, and what is only wrong.

https://hl7.org/fhir/R4/plandefinition-definitions.html and
https://hl7.org/fhir/R4/activitydefinition-definitions.html

A definition has one verdict, however it comes: loaded, or with a request.  Refused is what changes
what it does when it is passed over (an element that is not known may have been a condition) and
what would make answers invalid; what nobody reads, or what has one plain reading, is a warning.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from carepath.issues import Issue, Severity
from carepath.knowledge.shape import COMMENTS, shape_problems
from carepath.validation.structure import schema
from carepath.validation.structure.problems import Problem
from carepath.validation.structure.references import inner_references
from carepath.validation.structure.severity import severity_of
from carepath.validation.structure.violations import issue_of, violations

_MOST = 100
_MOST_LOOKED_AT = 1000
"""With more faults than these, none of which need be an error, it is no definition."""
_HARMLESS = frozenset({"alignment", "bad-value", "concept", "narrative", "reference", "target"})
"""Kinds of problems that leave a definition readable; a date that is none is an error before."""
_UNREAD = re.compile(
    r"^[A-Z]\w*(?:\.action\[\d+\])*\.(?:approvalDate|author|contact|copyright|date|editor|endorser"
    r"|experimental|identifier|jurisdiction|lastReviewDate|output|publisher|purpose|reviewer|text"
    r"|topic|trigger|usage|useContext)\b"
)
"""What neither decides nor gets into an answer."""
_LOOKED_AT = frozenset({"ActivityDefinition.kind"})
"""Codes that `$apply` looks at itself: it knows more than R4 lists, and says which it does not."""
_MAY_LACK = frozenset(
    {
        "ActivityDefinition.status",
        "CodeSystem.content",
        "CodeSystem.status",
        "Library.status",
        "Library.type",
        "PlanDefinition.goal.description",
        "PlanDefinition.status",
        "Questionnaire.status",
        "ValueSet.status",
    }
)
"""What R4 requires and `$apply` does without: a goal without a description is named by its id."""
_MAY_BE_BARE = frozenset(
    {"PlanDefinition.action", "PlanDefinition.action.action", "PlanDefinition.goal"}
)
_BARE = frozenset({"empty", "no-content"})
_MISPLACED = frozenset({"empty", "null", "unknown-element"})
"""Kinds of problems that leave nobody sure what was meant, wherever they are."""


def definition_issues(definition: Any) -> tuple[Issue, ...]:
    """Return what is wrong with a definition: as errors what cannot be read safely, then warnings.

    Nothing is found in what is valid R4.
    """
    if not isinstance(definition, dict):
        return (Issue("error", "structure", "The definition is not a JSON object."),)
    try:
        is_valid = schema.is_valid(definition)
        found = [] if is_valid else list(islice(violations(definition), _MOST_LOOKED_AT))
        found += islice(inner_references(definition), _MOST_LOOKED_AT)
    except ValueError:  # Nothing that was decoded from bytes gets here.
        text = "The definition holds text or keys that JSON cannot carry."
        return (Issue("error", "structure", text),)
    if len(found) >= _MOST_LOOKED_AT:
        return tuple(issue_of(problem, "error") for problem in found[:_MOST])
    found = [p for p in found if not (p.kind == "code" and _path(p) in _LOOKED_AT)]
    named = {(p.kind, p.place.expression): issue_of(p, _severity(p)) for p in reversed(found)}
    issues = sorted(reversed(named.values()), key=lambda issue: not issue.is_error)
    if not is_valid and not any(issue.is_error for issue in issues):
        # Whoever compiles the definition relies on its shape, whatever is said of its elements.
        issues = [*_misshapen(definition), *issues]
    return tuple(issues[:_MOST])


def _misshapen(definition: dict[str, Any]) -> Iterator[Issue]:
    for path, reason in shape_problems(definition):
        yield Issue("error", "structure", f"`{path}`: {reason}.", (path,))


def _severity(problem: Problem) -> Severity:
    """Return how bad a problem of a definition is."""
    if severity_of(problem, lenient=True) == "error":
        return "error"
    is_object = isinstance(problem.place.value, dict)
    if is_object and _path(problem) in _MAY_BE_BARE and problem.kind in _BARE:
        return "warning"  # An action that says nothing does nothing; a condition might have.
    if problem.kind in _MISPLACED:
        is_comment = problem.place.expression.rpartition(".")[2] == COMMENTS
        return "warning" if is_comment else "error"
    is_lack = problem.kind == "missing" and _path(problem) in _MAY_LACK
    is_harmless = problem.kind in _HARMLESS or is_lack
    return "warning" if is_harmless or _UNREAD.match(problem.place.expression) else "error"


def _path(problem: Problem) -> str:
    """Return the path of an element in its definition, empty where it has none."""
    element = problem.place.element
    return element.path if element is not None else ""
