"""What the product says about one record, and how that differs from what is expected."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = "unknown"
FREE_OF_PATHWAY = frozenset({"comm-support-line"})
"""What may be proposed to anybody."""


@dataclass(frozen=True)
class Answer:
    """Facts by name, ids of what is ordered or advised against, and what the reader is told."""

    refused: str | None = None
    broken: str | None = None
    facts: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    ordered: frozenset[str] = frozenset()
    against: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    told: str = ""


def differences(answer: Answer, expect: Mapping[str, Any]) -> list[str]:
    """Return what is not as expected, a sentence each; nothing when all holds."""
    if answer.broken is not None:
        return [f"It ended with `{answer.broken}`."]
    if answer.refused is not None:
        return _wrong_refusal(answer.refused, expect)
    wrong = list(_differences(answer, expect))
    tried = [list(_differences(answer, part)) for part in expect.get("any_of", ())]
    if tried and all(tried):
        wrong.append("No alternative holds: " + " Or: ".join(" ".join(part) for part in tried))
    return wrong


def _wrong_refusal(message: str, expect: Mapping[str, Any]) -> list[str]:
    if not expect.get("may_refuse"):
        return [f"It was refused: {message}"]
    words = expect.get("refusal") or expect.get("issue") or []
    if words and not _says(message, words):
        return [f"The refusal names none of {', '.join(words)}: {message}"]
    return []


def _says(text: str, words: Iterable[str]) -> bool:
    """Tell whether one of the words begins a word of the text."""
    return any(re.search(rf"(?<!\w){re.escape(word)}", text, re.IGNORECASE) for word in words)


def _differences(answer: Answer, expect: Mapping[str, Any]) -> Iterator[str]:
    for part, compare in _PARTS.items():
        if part in expect:
            yield from compare(answer, expect[part])


def _facts(answer: Answer, expected: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for name, allowed in expected.items():
        actual = answer.facts.get(name)
        if actual is None:
            yield f"The fact `{name}` cannot be read."
        elif not any(_is_value(actual, value) for value in allowed):
            shown = ", ".join(map(str, actual)) or UNKNOWN
            yield f"`{name}` is {shown}, right is {' or '.join(map(str, allowed))}."


def _is_value(actual: Sequence[Any], allowed: Any) -> bool:
    """Tell whether a fact has this value, or these values in any order."""
    if allowed == UNKNOWN:
        return not actual
    values = allowed if isinstance(allowed, list) else [allowed]
    return sorted(map(_comparable, actual)) == sorted(map(_comparable, values))


def _comparable(value: Any) -> tuple[str, str]:
    """Return what is the same for equal numbers of any type, and keeps `true` from 1."""
    is_number = hasattr(value, "__float__") and not isinstance(value, bool)
    return ("number", f"{float(value):.6f}") if is_number else (type(value).__name__, str(value))


def _applied(answer: Answer, expected: Sequence[str]) -> Iterator[str]:
    for name in expected:
        if name not in answer.ordered | answer.against:
            yield f"`{name}` should be proposed and is not."


def _not_applied(answer: Answer, expected: Sequence[str]) -> Iterator[str]:
    for name in expected:
        if name in answer.ordered | answer.against:
            yield f"`{name}` is proposed and should not be."


def _not_ordered(answer: Answer, expected: Sequence[str]) -> Iterator[str]:
    for name in expected:
        if name in answer.ordered:
            yield f"`{name}` is proposed and may only be advised against."


def _missing(answer: Answer, expected: Sequence[str]) -> Iterator[str]:
    for name in expected:
        if name not in answer.missing:
            yield f"`{name}` should be asked for and is not."


def _no_pathway(answer: Answer, expected: bool) -> Iterator[str]:
    proposals = sorted(answer.ordered - FREE_OF_PATHWAY)
    if expected and proposals:
        yield f"Nothing should be proposed, but {len(proposals)} are, as `{proposals[0]}`."


def _issue(answer: Answer, expected: Sequence[str]) -> Iterator[str]:
    if not _says(answer.told, expected):
        yield f"No issue says one of {', '.join(expected)}."


_PARTS: Mapping[str, Callable[[Answer, Any], Iterator[str]]] = {
    "facts": _facts,
    "applied": _applied,
    "not_applied": _not_applied,
    "not_ordered": _not_ordered,
    "missing": _missing,
    "no_pathway": _no_pathway,
    "issue": _issue,
}
KNOWN_PARTS = frozenset({*_PARTS, "any_of", "may_refuse", "refusal"})
"""What may stand in an expectation."""
