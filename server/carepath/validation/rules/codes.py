"""Codes that their code system does not have, or that cannot be codes of it.

https://hl7.org/fhir/R4/terminologies.html#4.1

Of R4's own code systems all codes are known.  Those of HL7 version 2 and 3 grow apart from FHIR, so
that a code R4 does not have is a warning there.  Other systems are judged by their check digits.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from carepath.issues import Issue
from carepath.knowledge.check_digits import is_loinc_code, is_snomed_code
from carepath.validation.rules.rule import fault, objects_of, text_of
from carepath.validation.walker import Item


class Codes(Protocol):
    """What is asked of a terminology."""

    def has(self, system: str, code: str, version: str = "") -> bool | None:
        """Tell whether a code system has a code; None when that cannot be known here."""


_GROWN_APART = tuple(f"http://terminology.hl7.org/CodeSystem/{name}" for name in ("v2-", "v3-"))


def code_issues(item: Item, codes: Codes) -> Iterator[Issue]:
    """Yield what is wrong with the code of a Coding or of a Quantity."""
    version = text_of(item.members, "version")
    yield from _of_code(item.members, item.path, (text_of(item.members, "system"), version), codes)


def include_issues(item: Item, codes: Codes) -> Iterator[Issue]:
    """Yield what is wrong with the codes that a value set lists."""
    system = text_of(item.members, "system"), text_of(item.members, "version")
    for index, concept in enumerate(objects_of(item.members, "concept")):
        yield from _of_code(concept, f"{item.path}.concept[{index}]", system, codes)


def _of_code(
    owner: Mapping[str, Any], path: str, of: tuple[str, str], codes: Codes
) -> Iterator[Issue]:
    (system, version), code = of, text_of(owner, "code")
    if not system or not code:
        return
    place = f"{path}.code"
    if codes.has(system, code, version) is False:
        if system.startswith(_GROWN_APART):
            text = f"`{place}` is not one of the codes that R4 has of `{system}`."
            yield Issue("warning", "code-invalid", text, (place,))
        else:
            yield fault(place, f"is no code of `{system}`", "code-invalid")
    elif _is_one_word(code) and not _FORMS.get(system, _any_form)(code):
        sentence = f"is no code of `{system}`: its form or check digit is wrong"
        yield fault(place, sentence, "code-invalid")


def _is_one_word(code: str) -> bool:
    """Tell whether a code is no expression, which is written with other signs."""
    return code.isascii() and code.replace("-", "").isalnum()


def _any_form(_code: str) -> bool:
    return True


def _may_be_loinc(code: str) -> bool:
    """Tell whether a code may be of LOINC; its parts and answer lists are let pass."""
    return not code[:1].isdigit() or is_loinc_code(code)


_FORMS: Mapping[str, Callable[[str], bool]] = {
    "http://loinc.org": _may_be_loinc,
    "http://snomed.info/sct": is_snomed_code,
}
