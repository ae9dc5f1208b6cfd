"""How certain a diagnosis is by the mark that ICD-10-GM puts beside its code.

https://www.bfarm.de/DE/Kodiersysteme/Klassifikationen/ICD/ICD-10-GM/_node.html and
https://ig.fhir.de/basisprofile-de/ (extension `icd-10-gm-diagnosesicherheit`)

A: excluded, V: suspected, Z: status post, without complaints, G: certain.  The mark stands in an
extension or behind the code.  It is read before the codes are written one way, which cuts it off.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from carepath.record.codes import ICD_10_GM, canonical_system, split_icd_10_gm
from carepath.resources import Resource, codings

_EXTENSION = "diagnosesicherheit"
_VALUES = ("valueCoding", "valueCodeableConcept", "valueCode", "valueString")


class _Meaning(NamedTuple):
    """What a mark says, and what it makes of the two statuses of a Condition."""

    words: str
    verification: str = ""
    clinical: str = ""


_MEANINGS = {
    "A": _Meaning("excluded", verification="refuted"),
    "V": _Meaning("suspected", verification="provisional"),
    "Z": _Meaning("status post", clinical="resolved"),
    "G": _Meaning("certain", verification="confirmed"),
}

_CAUTION = "AV?ZG"
"""The marks from the most careful on; `?` is one that is none of the four."""

_UNKNOWN = _Meaning("nothing that is known", verification="unconfirmed")
_SIDES = "RLB"
_LONGEST = 40
"""How many characters of a mark that is none are told."""

_WORDS = {
    "ausgeschlossen": "A",
    "ausschluss": "A",
    "verdacht": "V",
    "zustand nach": "Z",
    "symptomlos": "Z",
    "gesichert": "G",
}
"""How the meaning begins where it is told in words."""

_CAREFUL = {
    "confirmed": 1,
    "unconfirmed": 2,
    "provisional": 2,
    "differential": 2,
    "refuted": 3,
    "entered-in-error": 4,
}
_STATUS_SYSTEMS = {
    "verificationStatus": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
    "clinicalStatus": "http://terminology.hl7.org/CodeSystem/condition-clinical",
}
_OVER = frozenset({"inactive", "remission", "resolved", "recurrence", "relapse"})
"""Clinical statuses that know more than "status post": over, or back again."""


def with_certainty(resource: Resource) -> tuple[Resource, str | None]:
    """Return a resource as its marks make it, and a sentence that tells what was read.

    The same object and None when there is no mark, or none that says anything new.  A Condition
    gets the statuses, of which the more careful holds; any other resource loses the codes whose
    mark says that they do not apply as they stand.
    """
    if resource.get("resourceType") == "Condition":
        mark = _most_careful(_marks_of_condition(resource))
        return (resource, None) if mark is None else _judged(resource, mark)
    told: list[str] = []
    for name in ("code", "valueCodeableConcept"):
        concept = resource.get(name)
        kept, mark = _certain_codings(concept)
        if isinstance(concept, dict) and mark is not None:
            rest = {key: value for key, value in concept.items() if key != "coding"}
            resource = {**resource, name: {**rest, "coding": kept} if kept else rest}
            told.append(f"{_saying(mark)}: the code in `{name}` was not read.")
    return resource, " ".join(told) or None


def _judged(condition: Resource, mark: str) -> tuple[Resource, str | None]:
    """Return the Condition with the status that its mark means."""
    meaning = _meaning(mark)
    name = "verificationStatus" if meaning.verification else "clinicalStatus"
    new = meaning.verification or meaning.clinical
    told = _status(condition, name)
    if told == new or (mark == "G" and name in condition and told not in _CAREFUL):
        return condition, None
    if _holds(told, new):
        return condition, f"{_saying(mark)}, but `{name}` says `{told}`, which was kept."
    although = f", although it says `{told}`" if told else ""
    judged = {**condition, name: _status_concept(name, new)}
    return judged, f"{_saying(mark)}: `{name}` was read as `{new}`{although}."


def _holds(told: str, new: str) -> bool:
    """Tell whether the status that was sent is kept beside what the mark means."""
    if new == "resolved":
        return told in _OVER
    return _CAREFUL.get(told, 0) >= _CAREFUL[new]


def _status(condition: Resource, name: str) -> str:
    """Return the code of a status, empty when it has none."""
    codes = (coding.get("code") for coding in codings(condition.get(name)))
    return next((code.strip() for code in codes if isinstance(code, str)), "")


def _status_concept(name: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": _STATUS_SYSTEMS[name], "code": code}]}


def _saying(mark: str) -> str:
    return f"The ICD-10-GM mark `{mark}` (diagnosesicherheit) says {_meaning(mark).words}"


def _meaning(mark: str) -> _Meaning:
    return _MEANINGS.get(mark, _UNKNOWN)


def _most_careful(marks: Iterable[str]) -> str | None:
    """Return the mark that allows the least; None when there is none."""
    return min(
        marks, key=lambda mark: _CAUTION.find(mark if mark in _MEANINGS else "?"), default=None
    )


def _certain_codings(concept: Any) -> tuple[list[dict[str, Any]], str | None]:
    """Return the codings that apply as they stand, and the mark of the others."""
    of_all = list(_marks_in_extensions(concept))
    kept: list[dict[str, Any]] = []
    doubts: list[str] = []
    for coding in codings(concept):
        marks = [mark for mark in (*of_all, *_marks_of_coding(coding)) if mark != "G"]
        doubts += marks
        if not marks:
            kept.append(coding)
    return kept, _most_careful(doubts)


def _marks_of_condition(condition: Resource) -> Iterator[str]:
    concept = condition.get("code")
    yield from _marks_in_extensions(condition)
    yield from _marks_in_extensions(concept)
    for coding in codings(concept):
        yield from _marks_of_coding(coding)


def _marks_of_coding(coding: dict[str, Any]) -> Iterator[str]:
    """Yield the marks beside a code and behind it."""
    yield from _marks_in_extensions(coding)
    yield from _marks_in_extensions(coding.get("_code"))
    system, code = coding.get("system"), coding.get("code")
    if isinstance(system, str) and isinstance(code, str) and canonical_system(system) == ICD_10_GM:
        _, letters = split_icd_10_gm(code) or ("", "")
        yield from (letter for letter in letters if letter not in _SIDES)


def _marks_in_extensions(element: Any) -> Iterator[str]:
    extensions = element.get("extension") if isinstance(element, dict) else None
    for extension in extensions if isinstance(extensions, list) else ():
        if isinstance(extension, dict) and _is_mark(extension.get("url")):
            yield _mark_in(extension)


def _is_mark(url: Any) -> bool:
    """Tell whether an extension is the mark, under whichever of its many URLs."""
    if not isinstance(url, str):
        return False
    return url.partition("|")[0].strip().rstrip("/").casefold().endswith(_EXTENSION)


def _mark_in(extension: dict[str, Any]) -> str:
    """Return the letter in an extension; what it holds when that is no letter we know."""
    value = next((extension[name] for name in _VALUES if name in extension), None)
    if isinstance(value, dict):
        coding = next(codings(value), value)
        value = coding.get("code") or coding.get("display") or value.get("text")
    text = value.strip() if isinstance(value, str) else ""
    words = (mark for start, mark in _WORDS.items() if text.casefold().startswith(start))
    return text.upper() if text.upper() in _MEANINGS else next(words, text[:_LONGEST] or "?")
