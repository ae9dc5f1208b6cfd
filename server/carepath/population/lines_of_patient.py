"""The lines about one patient as the data of one application; two people are never made one.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from carepath.errors import InvalidResource, MalformedInput, SubjectNotFound
from carepath.formats.json import decode
from carepath.issues import Issue
from carepath.population.ownership import PATIENT, guessed, head_of, owners
from carepath.population.partition import SourceLine
from carepath.population.told import place
from carepath.r4.model import RESOURCE_TYPES
from carepath.record import ANY_TYPE
from carepath.resources import Resource
from carepath.validation import LeftOut, Readable, readable

_START, _END = b'{"resourceType":"Bundle","type":"collection","entry":[', b"]}"
_URN = b'"urn:uuid:'


def data_of(patient: str, lines: Sequence[SourceLine]) -> tuple[Readable, ...]:
    """Return what can be read of the lines about a patient.

    A line that is no JSON is left out, so that what it might have said is unknown.  Raises
    InvalidResource for two different Patients under one name and for a Patient who cannot be read,
    SubjectNotFound when none of the lines is the Patient, and MalformedInput.
    """
    whole = [line for line in lines if line.is_bundle]
    if whole:
        return (_of_bundle(patient, whole, lines),)
    patients = [line for line in lines if _is_patient(line)]
    if not patients:
        raise SubjectNotFound(patient)
    _refuse_namesakes(patient, patients)
    broken = [line for line in lines if line.is_broken]
    sound = [line for line in lines if not line.is_broken]
    try:
        content = decode(_bundle(sound))
    except MalformedInput:
        sound, faulty = _sorted_out(sound)
        _refuse_namesakes(patient, [line for line in faulty if _is_patient(line)])
        broken += faulty
        content = decode(_bundle(sound))
    found = with_places(readable(content), sound)
    return (found, *(_unread(patient, line) for line in broken))


def _is_patient(line: SourceLine) -> bool:
    if line.is_broken:
        return guessed(line.data, line.base)[0] == "Patient"
    head = head_of(line.data) if b'"Patient"' in line.data else None
    return head is not None and head.resourceType == "Patient"


def _refuse_namesakes(patient: str, lines: Sequence[SourceLine]) -> None:
    """Raise InvalidResource where lines that are the Patient say different things.

    The same bytes twice are one Patient, unless they are known to be of two servers.
    """
    by_id: dict[str, SourceLine] = {}
    for line in lines:
        head = None if line.is_broken else head_of(line.data)
        if head is None:
            text = f"The line of `{patient}` cannot be read ({place(line.file, line.line)})."
            raise InvalidResource([Issue("error", "structure", text)])
        first = by_id.setdefault(head.id, line)
        if (first.data, first.base) != (line.data, line.base):
            name = PATIENT + head.id
            raise InvalidResource([Issue("error", "duplicate", _two(name, first, line))])


def _two(patient: str, one: SourceLine, other: SourceLine) -> str:
    places = f"{place(one.file, one.line)} and {place(other.file, other.line)}"
    return (
        f"Two different records are named `{patient}` ({places}): they may be two people, "
        "so nothing was applied to either."
    )


def _of_bundle(
    patient: str, bundles: Sequence[SourceLine], lines: Sequence[SourceLine]
) -> Readable:
    """Return what can be read of the one Bundle that a patient may have."""
    first = bundles[0]
    others = [one for one in lines if one.data != first.data and not _is_shared(one)]
    if others:
        raise InvalidResource([Issue("error", "duplicate", _two(patient, first, others[0]))])
    try:
        found = readable(decode(first.data))
    except MalformedInput as error:
        where = ", ".join(part for part in (place(first.file, first.line), error.where) if part)
        raise MalformedInput(error.reason, where) from error
    if found.refusals:
        raise InvalidResource(found.refusals)
    return found


def _is_shared(line: SourceLine) -> bool:
    """Tell whether a line is nobody's in particular: a Bundle is complete without it."""
    head = None if line.is_bundle or line.is_broken else head_of(line.data)
    return head is not None and owners(head, line.base).is_shared


def _bundle(lines: Sequence[SourceLine]) -> bytes:
    by_urn = any(_URN in line.data for line in lines)
    return _START + b",".join(_entry(line, by_urn=by_urn) for line in lines) + _END


def _entry(line: SourceLine, *, by_urn: bool) -> bytes:
    """Return the entry of a resource, with the address it has on its server where that is known.

    A Patient whom others name by a URN has that for an address.
    """
    url = _url(line) or (_urn(line) if by_urn else "")
    start = b'{"fullUrl":"' + url.encode() + b'","resource":' if url else b'{"resource":'
    return start + line.data + b"}"


def _url(line: SourceLine) -> str:
    head = head_of(line.data) if line.base else None
    return f"{line.base}/{head.resourceType}/{head.id}" if head is not None and head.id else ""


def _urn(line: SourceLine) -> str:
    head = head_of(line.data) if _is_patient(line) else None
    return f"{_URN[1:].decode()}{head.id}" if head is not None else ""


def _sorted_out(lines: Sequence[SourceLine]) -> tuple[list[SourceLine], list[SourceLine]]:
    """Return the lines that can be decoded, and those that cannot."""
    sound: list[SourceLine] = []
    broken: list[SourceLine] = []
    for line in lines:
        try:
            decode(line.data)
        except MalformedInput:
            broken.append(replace(line, is_broken=True))
        else:
            sound.append(line)
    return sound, broken


def _unread(patient: str, line: SourceLine) -> Readable:
    """Return a line that is no JSON as data that was sent and says what nobody knows."""
    head = head_of(line.data)
    kind = head.resourceType if head is not None else guessed(line.data, line.base)[0]
    kind = kind or _type_of(line.file)
    stub: Resource = {"resourceType": kind or ANY_TYPE}
    if patient.startswith(PATIENT):
        stub["subject"] = {"reference": patient}
    reason = f"it is no JSON ({place(line.file, line.line)})"
    left = LeftOut(stub, "", "structure", reason, (), kind or "a line", stub)
    return Readable(None, left_out=(left,), whole=stub)


def _type_of(file: str) -> str:
    """Return what files of an export by type are called by, where that is a type."""
    name = file.rpartition("/")[2].partition(".")[0]
    return name if name in RESOURCE_TYPES else ""


def with_places(found: Readable, lines: Sequence[SourceLine]) -> Readable:
    """Return the same, its remarks naming the line where they name an entry of our own Bundle."""
    if not found.left_out and not found.remarks and not found.refusals:
        return found
    told: dict[str, Any] = {
        "refusals": tuple(_placed(issue, lines) for issue in found.refusals),
        "remarks": tuple(_placed(issue, lines) for issue in found.remarks),
        "left_out": tuple(_placed_left_out(one, lines) for one in found.left_out),
    }
    return replace(found, **told)


def _number(expression: str) -> int | None:
    start, _, rest = expression.partition("entry[")
    number = rest.partition("]")[0]
    return int(number) if start == "Bundle." and number.isdigit() else None


def _placed(issue: Issue, lines: Sequence[SourceLine]) -> Issue:
    number = _number(issue.expression[0]) if issue.expression else None
    if number is None or number >= len(lines):
        return issue
    where = place(lines[number].file, lines[number].line)
    inside = tuple(text.partition("].resource")[2].lstrip(".") for text in issue.expression)
    text = f"{issue.diagnostics.removesuffix('.')} ({where})."
    return replace(issue, diagnostics=text, expression=tuple(filter(None, inside)))


def _placed_left_out(one: LeftOut, lines: Sequence[SourceLine]) -> LeftOut:
    number = _number(one.place)
    if number is None or number >= len(lines):
        return one
    where = place(lines[number].file, lines[number].line)
    return replace(one, reason=f"{one.reason} ({where})")
