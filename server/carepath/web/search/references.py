"""References in a search: by id, by type and id, by URL, by canonical with or without version.

https://hl7.org/fhir/R4/search.html#reference
"""

from collections.abc import Callable, Mapping
from typing import Any

from carepath.canonical import Canonical
from carepath.web.definitions import DEFINITION_TYPES, Definitions
from carepath.web.search.text import plain
from carepath.web.search.tokens import token_test

Test = Callable[[Any], bool]


def reference_test(text: str, definitions: Definitions) -> Test:
    """Return the test for what refers to `text`; an id means the canonical of what is here, too."""
    wanted = Canonical.parse(plain(text))
    if not wanted.url:
        raise ValueError("expected an id, Type/id or a URL")
    canonicals = {wanted.url, *_canonicals(wanted.url, definitions)}
    tail = "" if "://" in wanted.url else f"/{wanted.url}"

    def matches(value: Any) -> bool:
        is_reference = isinstance(value, Mapping)
        has = Canonical.parse(str(value.get("reference", "") if is_reference else value))
        is_same = has.url in canonicals or bool(tail and has.url.endswith(tail))
        return is_same and wanted.version in ("", has.version)

    return matches


def reference_of_type_test(text: str, resource_type: str, definitions: Definitions) -> Test:
    """Return the test for `parameter:Type=id`; a URL stands for itself."""
    is_id = "/" not in text and ":" not in text
    return reference_test(f"{resource_type}/{text}" if is_id else text, definitions)


def identifier_test(text: str) -> Test:
    """Return the test for a Reference by the identifier that it holds."""
    is_wanted = token_test(text)

    def matches(value: Any) -> bool:
        identifier = value.get("identifier") if isinstance(value, Mapping) else None
        return identifier is not None and is_wanted(identifier)

    return matches


def _canonicals(reference: str, definitions: Definitions) -> set[str]:
    """Return the canonicals of the definitions that an id, or `Type/id`, means here."""
    named = (
        [reference] if "/" in reference else [f"{name}/{reference}" for name in DEFINITION_TYPES]
    )
    found = [definitions.by_reference(name) for name in named if "://" not in name]
    return {held.url for held in found if held is not None and held.url}
