"""How bad each kind of problem is: always an error when strict, by this table when lenient.

Lenient reading takes what senders really send; an error is only what cannot be read safely: a value
of another JSON type than the one that rules would read, a date that is none, a choice with two
values, a status that cannot be understood, an unknown resource type.  `readable` leaves a resource
with an error out of the data, and one that lacks what it cannot do without.
`docs/validation.md` explains the table to users.
"""

from collections.abc import Callable, Mapping

from carepath.issues import Severity
from carepath.validation.structure.bindings import changes_meaning, is_understood
from carepath.validation.structure.dates import TEMPORAL, is_readable
from carepath.validation.structure.locations import Place
from carepath.validation.structure.problems import Kind, Problem


def severity_of(problem: Problem, *, lenient: bool) -> Severity:
    """Return the severity of a problem."""
    if not lenient:
        return "error"
    rule = LENIENT[problem.kind]
    return rule if isinstance(rule, str) else rule(problem.place)


def is_unusable(problem: Problem) -> bool:
    """Tell whether a problem of a resource of the data is a reason to leave the resource out."""
    if problem.kind == "missing":
        return _is_essential(problem.place)
    return severity_of(problem, lenient=True) == "error"


# Whose it is and what it is about; whether it holds is said by the modifier elements.
_ESSENTIAL = frozenset({"code", "medication", "patient", "subject"})


def _is_essential(missing: Place) -> bool:
    """Tell whether a required element says whether, whose or what: status, subject, code."""
    element = missing.element
    if element is None or missing.expression.count(".") != 1:
        return False  # What is contained, or inside of an element, is another matter.
    return element.is_modifier or (element.choice or element.name) in _ESSENTIAL


def _of_value(place: Place) -> Severity:
    if place.type in TEMPORAL and not is_readable(place.type, str(place.value)):
        return "error"
    return "warning"


def _of_code(place: Place) -> Severity:
    return "error" if changes_meaning(place) and not is_understood(place) else "warning"


LENIENT: Mapping[Kind, Severity | Callable[[Place], Severity]] = {
    "alignment": "warning",
    "bad-value": _of_value,
    "code": _of_code,
    "concept": _of_code,
    "conflict": "error",
    "empty": "warning",
    "missing": "warning",
    "narrative": "warning",
    "no-content": "warning",
    "null": "warning",
    "range": "warning",
    "reference": "warning",
    "target": "warning",
    "too-large": "error",
    "unknown-element": "warning",
    "unknown-type": "error",
    "wrong-type": "error",
}
