"""Documents and messages: what their first resource refers to is in the Bundle.

https://hl7.org/fhir/R4/documents.html#content and https://hl7.org/fhir/R4/messaging.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from carepath.issues import Issue
from carepath.validation.rules.places import Entry, Places
from carepath.validation.rules.rule import fault, objects_of, text_of


def document_issues(entries: Sequence[Entry], path: str) -> Iterator[Issue]:
    """Yield what the Composition refers to and is not there, and what has nothing to do with it."""
    first = entries[0].get("resource") if entries else None
    if not isinstance(first, dict) or first.get("resourceType") != "Composition":
        return  # An invariant of R4 says so.
    places = Places(entries)
    for place, reference in _direct(first):
        if places.find(reference, entries[0]) is None:
            name = f"{path}.entry[0].resource.{place}.reference"
            yield fault(name, "leads to no entry of the document", "not-found")
    reached = places.reached()
    for index, entry in enumerate(entries):
        if index not in reached and entry.get("resource"):
            name = f"{path}.entry[{index}]"
            yield fault(name, "has nothing to do with the Composition: no reference leads there")


def message_issues(entries: Sequence[Entry], path: str) -> Iterator[Issue]:
    """Yield what a message is about and is not there."""
    first = entries[0].get("resource") if entries else None
    if not isinstance(first, dict) or first.get("resourceType") != "MessageHeader":
        return  # An invariant of R4 says so.
    places = Places(entries)
    for place, reference in _each("focus", first):
        if places.find(reference, entries[0]) is None:
            name = f"{path}.entry[0].resource.{place}.reference"
            yield fault(name, "leads to no entry of the message", "not-found")


def _direct(composition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield place and text of the references whose targets have to be in the document."""
    yield from _at("subject", composition.get("subject"))
    yield from _at("encounter", composition.get("encounter"))
    yield from _at("custodian", composition.get("custodian"))
    yield from _each("author", composition)
    for index, attester in enumerate(objects_of(composition, "attester")):
        yield from _at(f"attester[{index}].party", attester.get("party"))
    for index, event in enumerate(objects_of(composition, "event")):
        yield from _each("detail", event, f"event[{index}].")
    yield from _of_sections(composition, "")


def _of_sections(owner: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for index, section in enumerate(objects_of(owner, "section")):
        place = f"{prefix}section[{index}]."
        yield from _each("author", section, place)
        yield from _at(f"{place}focus", section.get("focus"))
        yield from _each("entry", section, place)
        yield from _of_sections(section, place)


def _each(name: str, owner: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for index, value in enumerate(objects_of(owner, name)):
        yield from _at(f"{prefix}{name}[{index}]", value)


def _at(place: str, value: Any) -> Iterator[tuple[str, str]]:
    text = text_of(value, "reference")
    if text and not text.startswith("#"):
        yield place, text
