"""What of the data can be read: one odd resource is left out and told, and refuses nothing else.

https://hl7.org/fhir/R4/bundle.html

A resource that is left out is never the same as one that was not sent: it is handed on, so that
what it might have said can be unknown.
"""

import re
from dataclasses import dataclass
from typing import Any

from carepath import deadline
from carepath.issues import Issue, Severity
from carepath.record import Record
from carepath.resources import Resource
from carepath.validation.structure import schema
from carepath.validation.structure.data_units import (
    GONE,
    Parts,
    Path,
    Unit,
    changed,
    data_in,
    parts_of,
    removal,
)
from carepath.validation.structure.left_out import LeftOut
from carepath.validation.structure.locations import place_of, resource_type_of, root
from carepath.validation.structure.problems import Problem
from carepath.validation.structure.remainder import remainder_of
from carepath.validation.structure.severity import is_unusable, severity_of
from carepath.validation.structure.violations import CODES, issue_of, violations

MOST_ISSUES = 1000
"""A hostile input has no end of faults: no more errors, and no more warnings, are told."""

_MOST_OF_ONE = 20
"""One is enough to leave a resource out; so many are looked for."""

_NAMED = 3
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]", re.ASCII)

# Without these nobody can say what a Bundle's entries are, nor what an entry without a resource
# does: it may delete something.
_NEEDED = frozenset({"resourceType", "type", "entry", "implicitRules", "fullUrl", "request"})


@dataclass(frozen=True, slots=True)
class Readable:
    """What was sent, as far as it can be read safely."""

    content: Any
    """Without what is left out; the very object that was sent when nothing is."""
    left_out: tuple[LeftOut, ...] = ()
    refusals: tuple[Issue, ...] = ()
    """Errors for which the whole must be refused."""
    remarks: tuple[Issue, ...] = ()
    """What is odd about the resources that are used, and about what is around them."""
    whole: Any = None
    """The content with the remainder of each resource that is left out, where it stood; None when
    none is."""

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Return all there is to tell, the most important first."""
        refused = {issue.expression for issue in self.refusals}
        told = [one.issue for one in self.left_out if one.expression not in refused]
        return (*self.refusals, *[*told, *self.remarks][:MOST_ISSUES])

    def refusal_of(self, patient: Resource | None) -> Issue | None:
        """Return the error for a plan about a Patient of the content who cannot be read."""
        unread = (o for o in self.left_out if o.is_patient and o.remainder == patient)
        return next((one.refusal for one in unread), None)


def readable(content: Any) -> Readable:
    """Return what of a Bundle, the Parameters of an operation or one resource can be read safely.

    A resource of the data that cannot is left out.  Refused is what leaves nothing to answer with:
    a lone resource that is broken, a Bundle whose entries cannot be told, no readable Patient when
    one was sent.  What was passed in is not changed.
    """
    if not isinstance(content, dict):
        return _refused(content, "The resource is not a JSON object.")
    try:
        return Readable(content) if schema.is_valid(content) else _Reading(content).result()
    except ValueError:  # Nothing that was decoded from bytes gets here.
        return _refused(content, "The resource holds text or keys that JSON cannot carry.")


def record_of(*found: Readable) -> Record:
    """Return the record of all the data: what is left out of them is unread there, not absent.

    Raises InvalidResource for what cannot be read as a whole (see `Record.of`).
    """
    data = [d for one in found for d in data_in(one.whole if one.left_out else one.content)]
    left_out = [o.remainder for one in found for o in one.left_out if not o.is_patient]
    return Record.of(data, left_out=left_out)


def _refused(content: Any, sentence: str) -> Readable:
    return Readable(content, refusals=(Issue("error", "structure", sentence),))


class _Reading:
    """One look at content that does not fit the schema."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self._parts: Parts = parts_of(content)
        self._unusable: dict[Path, list[Problem]] = {}
        self._dropped: set[Path] = set()
        self._refusals: dict[tuple[str, str], Issue] = {}
        self._remarks: dict[tuple[str, str], Issue] = {}

    def result(self) -> Readable:
        self._look_at_frame()
        for unit in self._parts.units:
            self._look_at(unit)
        left_out = [self._left_out(unit) for unit in self._unread()]
        refusals = (*self._refusals.values(), *(o.refusal for o in self._missed(left_out)))
        return Readable(
            content=self._without(left_out),
            whole=self._with_remainders(left_out) if left_out else None,
            left_out=tuple(left_out),
            refusals=refusals[:MOST_ISSUES],
            remarks=tuple(self._remarks.values()),
        )

    def _look_at_frame(self) -> None:
        """Sort what is wrong around the resources of the data."""
        frame = self._parts.frame
        for problem in () if schema.is_valid(frame) else violations(frame):
            if severity_of(problem, lenient=True) != "error":
                _note(self._remarks, problem, "warning")
            elif not self._is_bearable(problem):
                _note(self._refusals, problem, "error")
                if len(self._refusals) >= MOST_ISSUES:
                    return

    def _is_bearable(self, problem: Problem) -> bool:
        """Leave out what a broken entry holds, or an element of a Bundle that nothing hangs on."""
        path = _path(problem.place.expression)
        for end in range(len(path) - 1, -1, -1):
            around, name = path[:end], str(path[end])
            if around in self._parts.entries and name != "resource":
                return self._leave_entry(around, problem) or self._drop(around, name, problem)
            if around in self._parts.bundles:
                return self._drop(around, name, problem)
        return False

    def _leave_entry(self, entry: Path, problem: Problem) -> bool:
        held = self._parts.held.get(entry, ())
        for unit in held:
            self._unusable.setdefault(unit.path, []).append(problem)
        return bool(held)

    def _drop(self, around: Path, name: str, problem: Problem) -> bool:
        if name in _NEEDED:
            return False
        self._dropped |= {(*around, name), (*around, f"_{name}")}
        dropped = problem._replace(sentence=f"{problem.sentence} and was not used")
        _note(self._remarks, dropped, "warning")
        return True

    def _look_at(self, unit: Unit) -> None:
        """Sort what is wrong with one resource of the data."""
        deadline.check()
        if schema.is_valid(unit.resource):
            return
        place, start = self._place(unit), len(root(unit.resource).expression)
        odd: list[Problem] = []
        unusable: list[Problem] = []
        for problem in violations(unit.resource):
            if len(unusable) >= _MOST_OF_ONE:
                break
            found = unusable if is_unusable(problem) else odd
            if found is unusable or len(odd) + len(self._remarks) < MOST_ISSUES:
                inside = place + problem.place.expression[start:]
                found.append(problem._replace(place=problem.place._replace(expression=inside)))
        if unusable:
            self._unusable.setdefault(unit.path, []).extend(unusable)
        elif unit.path not in self._unusable:
            for problem in odd:
                _note(self._remarks, problem, "warning")

    def _left_out(self, unit: Unit) -> LeftOut:
        named = {(p.kind, p.place.expression): p for p in self._unusable[unit.path]}
        problems = list(named.values())
        place = self._place(unit)
        return LeftOut(
            resource=unit.resource,
            full_url=unit.full_url,
            code=_BROADER.get(code := CODES[problems[0].kind], code),
            reason=_reason(problems, place),
            expression=tuple(p.place.expression for p in problems),
            place=place,
            remainder=remainder_of(
                unit.resource,
                (p.place.expression for p in problems),
                place,
                is_all=len(problems) < _MOST_OF_ONE,
            ),
        )

    def _missed(self, left_out: list[LeftOut]) -> list[LeftOut]:
        """Return what is left out and without which there is nothing to answer."""
        used = [u.resource for u in self._parts.units if u.path not in self._unusable]
        if not used:
            return left_out
        if any(resource_type_of(resource) == "Patient" for resource in used):
            return []
        return [one for one in left_out if one.resource_type in ("Patient", "")]

    def _without(self, left_out: list[LeftOut]) -> Any:
        changes: dict[Path, Any] = dict.fromkeys(self._dropped, GONE)
        for unit, one in zip(self._unread(), left_out, strict=True):
            stays = one.is_patient
            changes[unit.path if stays else removal(unit)] = one.remainder if stays else GONE
        return changed(self._content, changes) if changes else self._content

    def _with_remainders(self, left_out: list[LeftOut]) -> Any:
        changes: dict[Path, Any] = dict.fromkeys(self._dropped, GONE)
        places = (unit.path for unit in self._unread())
        changes |= zip(places, (one.remainder for one in left_out), strict=True)
        return changed(self._content, changes)

    def _unread(self) -> list[Unit]:
        return [unit for unit in self._parts.units if unit.path in self._unusable]

    def _place(self, unit: Unit) -> str:
        return place_of(self._content, unit.path).expression


def _note(issues: dict[tuple[str, str], Issue], problem: Problem, severity: Severity) -> None:
    """Take up an issue unless there are many, or the same."""
    if len(issues) < MOST_ISSUES:
        issues.setdefault((problem.kind, problem.place.expression), issue_of(problem, severity))


def _path(expression: str) -> Path:
    """Return the JSON path of the elements of a Bundle or Parameters, none of which is a choice."""
    return tuple(name or int(index) for name, index in _STEP.findall(expression))


_BROADER = {"code-invalid": "value", "required": "structure"}


def _reason(problems: list[Problem], place: str) -> str:
    """Return in half a sentence what is wrong, with elements named as the resource has them."""
    told = [f"{_element(p.place.expression, place)} {p.sentence}" for p in problems[:_NAMED]]
    more = len(problems) - _NAMED
    count = "" if len(problems) >= _MOST_OF_ONE else f"{more} "
    return "; ".join(told) + (f"; and {count}more" if more > 0 else "")


def _element(expression: str, place: str) -> str:
    if expression == place:
        return "it"
    inside = expression.startswith(f"{place}.")
    return f"`{expression[len(place) + 1 :] if inside else expression}`"
