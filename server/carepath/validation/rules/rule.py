"""What a rule is: a function from an element to what is wrong with it.

https://hl7.org/fhir/R4/validation.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from carepath.issues import Issue
from carepath.validation.walker import Item

Rule = Callable[[Item], Iterator[Issue]]
Rules = Mapping[str, Rule]
"""By the path of an element in the definitions, or by the name of a type."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def fault(path: str, sentence: str, code: str = "value") -> Issue:
    """Return an error; the sentence goes on after the name of the element."""
    return Issue("error", code, f"`{path}` {sentence}.", (path,))


def is_absolute(uri: Any) -> bool:
    """Tell whether a text is a URI with a scheme; what is no text is for the structure check."""
    return not isinstance(uri, str) or _SCHEME.match(uri) is not None


def text_of(owner: Any, name: str) -> str:
    """Return a text by its name, empty when it is none."""
    value = owner.get(name) if isinstance(owner, dict) else None
    return value if isinstance(value, str) else ""


def objects_of(owner: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects of an array by its name; what is no object becomes an empty one."""
    values = owner.get(name) if isinstance(owner, dict) else None
    found = values if isinstance(values, list) else []
    return [one if isinstance(one, dict) else {} for one in found]
