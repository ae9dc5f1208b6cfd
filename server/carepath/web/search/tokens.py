"""Tokens in a search: code, identifier, text; value sets and hierarchies as far as they are here.

https://hl7.org/fhir/R4/search.html#token
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from carepath.knowledge import Terminology
from carepath.resources import codings
from carepath.web.search.text import fold, plain, split

Test = Callable[[Any], bool]


def token_test(text: str, *, exact: bool = False) -> Test:
    """Return the test for `code`, `system|code`, `|code` or `system|`; case counts if `exact`."""
    system, code = _system_and_code(text)
    read = str if exact else str.casefold
    wanted = read(code)

    def is_wanted(has_system: str | None, has_code: str) -> bool:
        if system is not None and has_system not in (None, system):
            return False
        return not wanted or wanted == read(has_code)

    return lambda value: any(is_wanted(*token) for token in tokens(value))


def text_test(text: str) -> Test:
    """Return the test for how a text, a display or the text of an identifier's type begins."""
    wanted = fold(plain(text))

    def matches(value: Any) -> bool:
        if not isinstance(value, Mapping):
            return False
        shown = [value.get("text"), value.get("display")]
        shown += [coding.get("display") for coding in codings(value)]
        shown += [value["type"].get("text")] if isinstance(value.get("type"), Mapping) else []
        return any(fold(word).startswith(wanted) for word in shown if isinstance(word, str))

    return matches


def of_type_test(text: str) -> Test:
    """Return the test for an identifier by `type system|type code|value`."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) != len(("system", "code", "value")) or not all(parts):
        raise ValueError("expected system|code|value of an identifier's type and value")
    system, code, wanted = parts

    def matches(value: Any) -> bool:
        if not isinstance(value, Mapping) or value.get("value") != wanted:
            return False
        return any(
            (coding.get("system"), coding.get("code")) == (system, code)
            for coding in codings(value.get("type"))
        )

    return matches


def in_test(text: str, terminology: Terminology) -> Test:
    """Return the test for a member of a value set; raise ValueError when it is not known here."""
    url = plain(text)
    expansion = terminology.expansion(url)
    if expansion is None or not expansion.is_complete:
        raise ValueError(f"the value set `{url[:200]}` is not here, or not all of its codes are")

    def matches(value: Any) -> bool:
        found = [{"system": system, "code": code} for system, code in tokens(value)]
        return any(terminology.member_of(coding, url) for coding in found)

    return matches


def below_test(text: str, terminology: Terminology) -> Test:
    """Return the test for a code that the given one subsumes, itself included."""
    return _hierarchy_test(text, terminology, ("equivalent", "subsumes"))


def above_test(text: str, terminology: Terminology) -> Test:
    """Return the test for a code that subsumes the given one, itself included."""
    return _hierarchy_test(text, terminology, ("equivalent", "subsumed-by"))


def _hierarchy_test(text: str, terminology: Terminology, wanted: tuple[str, ...]) -> Test:
    system, code = _system_and_code(text)
    if not system or not code or terminology.subsumes(system, code, code) is None:
        raise ValueError("expected system|code of a code system that is here")

    def matches(value: Any) -> bool:
        return any(
            has_system in (None, system) and terminology.subsumes(system, code, has_code) in wanted
            for has_system, has_code in tokens(value)
        )

    return matches


def tokens(value: Any) -> Iterator[tuple[str | None, str]]:
    """Yield (system, code) of a Coding, CodeableConcept, Identifier, ContactPoint or primitive.

    A primitive code has no system of its own, which is None: any system asked for will do.
    """
    if isinstance(value, bool):
        yield None, str(value).lower()
    elif not isinstance(value, Mapping):
        yield None, str(value)
    elif "coding" in value or "text" in value:
        for coding in codings(value):
            yield coding.get("system", ""), str(coding.get("code", ""))
    else:
        yield value.get("system", ""), str(value.get("code", value.get("value", "")))


def _system_and_code(text: str) -> tuple[str | None, str]:
    """Return system and code; without a bar the system is None, which means any."""
    first, *rest = split(text, "|")
    return (plain(first), plain("|".join(rest))) if rest else (None, plain(first))
