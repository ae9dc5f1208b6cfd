"""Parts of a resource: `_summary` and `_elements`.

https://hl7.org/fhir/R4/search.html#summary and https://hl7.org/fhir/R4/search.html#elements
"""

from collections.abc import Callable, Mapping
from typing import Any

from carepath.r4.model import Element, type_of
from carepath.resources import Resource
from carepath.web.http.refusals import UnsupportedSearch

SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "Resource encoded in summary mode",
}
_ALWAYS = ("resourceType", "id", "meta")

Keep = Callable[[str, Element | None], bool]


def subset(resource: Resource, summary: str, elements: str) -> Resource:
    """Return the part that `_summary` or `_elements` asks for, tagged; all when neither does."""
    if elements:
        own = f"{resource['resourceType']}."
        names = (name.strip().removeprefix(own) for name in elements.split(","))
        # Elements are chosen at the top; a path means the whole of what it is in.
        wanted = {name.partition(".")[0].removesuffix("[x]") for name in names}
        return _tagged(_part(resource, lambda name, e: name in wanted or _is_needed(e)))
    if not summary:
        return resource
    if summary not in SUMMARIES:
        raise UnsupportedSearch("_summary", f"expected one of {', '.join(SUMMARIES)}")
    return SUMMARIES[summary](resource)


def _is_needed(element: Element | None) -> bool:
    """Tell whether an element stands in every part: mandatory, or changing the meaning."""
    return element is not None and (element.min > 0 or element.is_modifier)


def _part(resource: Resource, keep: Keep) -> Resource:
    """Keep the top-level elements that pass, with the `_name` siblings of primitives."""
    known = type_of(str(resource["resourceType"]))
    elements: Mapping[str, Element] = known.elements if known else {}

    def kept(name: str) -> bool:
        plain = name.removeprefix("_")
        element = elements.get(plain)
        return plain in _ALWAYS or keep(element.choice or plain if element else plain, element)

    return {name: value for name, value in resource.items() if kept(name)}


def _summary(resource: Resource) -> Resource:
    part = _part(resource, lambda _, element: element is not None and element.is_summary)
    return _tagged({name: _summary_value(resource, name, part[name]) for name in part})


def _summary_value(resource: Resource, name: str, value: Any) -> Any:
    """Leave the backbones inside a summary with their own summary elements."""
    known = type_of(str(resource["resourceType"]))
    element = known.elements.get(name) if known else None
    backbone = type_of(element.type) if element else None
    if backbone is None or backbone.kind != "backbone":
        return value
    elements = backbone.elements

    def part(item: Any) -> Any:
        return {
            key: inner
            for key, inner in item.items()
            if (found := elements.get(key.removeprefix("_"))) and (found.is_summary or found.min)
        }

    return [part(item) for item in value] if isinstance(value, list) else part(value)


def _text(resource: Resource) -> Resource:
    return _tagged(_part(resource, lambda name, e: name == "text" or _is_needed(e)))


def _data(resource: Resource) -> Resource:
    return _tagged(_part(resource, lambda name, _: name != "text"))


def _tagged(part: Resource) -> Resource:
    meta = part.get("meta", {})
    tagged = {**meta, "tag": [*meta.get("tag", ()), SUBSETTED]}
    head = {name: part[name] for name in ("resourceType", "id") if name in part}
    return head | {"meta": tagged} | {n: v for n, v in part.items() if n not in _ALWAYS}


SUMMARIES: Mapping[str, Callable[[Resource], Resource]] = {
    "true": _summary,
    "text": _text,
    "data": _data,
    "count": lambda resource: resource,
    "false": lambda resource: resource,
}
