"""What R4's text asks for and no invariant says: told as warnings, for official examples break it.

https://hl7.org/fhir/R4/datatypes.html, https://hl7.org/fhir/R4/references.html#canonical and
https://hl7.org/fhir/R4/bundle.html#bundle-unique
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from carepath.issues import Issue
from carepath.r4.model import RESOURCE_TYPES
from carepath.validation.structure.locations import resource_type_of
from carepath.validation.walker import Item, every

_ABSOLUTE = re.compile(r"#|[A-Za-z][A-Za-z0-9+.\-]*:")
_RESTFUL = re.compile(r"https?://.*/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")


def remarks(item: Item) -> Iterator[Issue]:
    """Yield a warning for each element, at the item or below, that R4's text advises against."""
    for below in every(item):
        remark = _BY_KIND.get(below.definition) or _BY_KIND.get(below.type)
        if remark is not None:
            yield from remark(below)


def _blank(item: Item) -> Iterator[Issue]:
    if isinstance(item.value, str) and item.value.isspace():
        yield _warning(item.path, "holds nothing but white space")


def _canonical(item: Item) -> Iterator[Issue]:
    if isinstance(item.value, str) and not _ABSOLUTE.match(item.value):
        yield _warning(item.path, "is not an absolute URL, as a canonical should be")


def _entry(item: Item) -> Iterator[Issue]:
    """Hold the URL of an entry to the type and id of its resource."""
    url, resource = item.members.get("fullUrl"), item.members.get("resource")
    type_, id = resource_type_of(resource), _id_of(resource)
    match = _RESTFUL.fullmatch(url) if isinstance(url, str) else None
    if not match or match[1] not in RESOURCE_TYPES:
        return
    if type_ and id and match.groups() != (type_, id):
        yield _warning(f"{item.path}.fullUrl", "disagrees with type and id of the resource")


def _id_of(resource: Any) -> str:
    id = resource.get("id") if isinstance(resource, dict) else None
    return id if isinstance(id, str) else ""


def _warning(path: str, sentence: str) -> Issue:
    return Issue("warning", "value", f"`{path}` {sentence}.", (path,))


_BY_KIND: Mapping[str, Callable[[Item], Iterator[Issue]]] = {
    "Bundle.entry": _entry,
    "canonical": _canonical,
    "markdown": _blank,
    "string": _blank,
}
"""By the path in the definitions or, where that says nothing, by the type."""
