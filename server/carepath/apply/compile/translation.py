"""A definition in the language of its reader.

https://hl7.org/fhir/R4/languages.html#ext

Where a text carries a translation (extension `translation`) into the language asked for, the
translation takes its place; everything else stays as it is.
"""

from collections.abc import Iterator
from typing import Any

from carepath.apply.compile.extensions import parts_of

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def translated(definition: Any, language: str) -> Any:
    """Return the definition with its texts in a language; the very same when there are none."""
    if isinstance(definition, list):
        items = [translated(item, language) for item in definition]
        is_same = all(new is old for new, old in zip(items, definition, strict=True))
        return definition if is_same else items
    if not isinstance(definition, dict):
        return definition
    result = {key: translated(value, language) for key, value in definition.items()}
    for key in definition:
        text = _translation(definition[key], language) if key.startswith("_") else None
        if text is not None:
            result[key[1:]] = text
            del result[key]
    is_same = result.keys() == definition.keys() and all(
        result[key] is definition[key] for key in definition
    )
    return definition if is_same else result


def languages_in(definition: Any) -> Iterator[str]:
    """Yield the languages of all translations in a definition, in lower case."""
    if isinstance(definition, dict):
        if definition.get("url") == "lang" and isinstance(definition.get("valueCode"), str):
            yield definition["valueCode"].lower()
        for value in definition.values():
            yield from languages_in(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from languages_in(value)


def _translation(sibling: Any, language: str) -> str | None:
    """Return the text that a `_name` object holds in a language, or in its base language."""
    if not isinstance(sibling, dict):
        return None
    texts: dict[str, str] = {}
    for extension in sibling.get("extension") or ():
        if isinstance(extension, dict) and extension.get("url") == TRANSLATION:
            parts = parts_of(extension)
            lang = parts.get("lang", {}).get("valueCode")
            content = parts.get("content", {})
            text = content.get("valueString") or content.get("valueMarkdown")
            if isinstance(lang, str) and isinstance(text, str):
                texts.setdefault(lang.lower(), text)
    wanted = language.lower()
    return texts.get(wanted) or texts.get(wanted.partition("-")[0])
