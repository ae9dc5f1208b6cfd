"""What FHIR adds: extensions, values, references, profiles and narrative.

https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath.fhirpath.functions.row import A_BOOLEAN, Result, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.access import add_children, spread
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.evidence import child_of, rooted
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import EMPTY, of_truth, one, one_text
from carepath.fhirpath.values.types import Item, Items, item_of, model, resource_type, system_value

_CORE = "http://hl7.org/fhir/StructureDefinition/"


def _extension(_: Context, items: Items, url: Items) -> Items:
    wanted = one_text(url)
    if wanted is None:
        return EMPTY
    found: Items = []
    for item in items:
        children: Items = []
        add_children(item, "extension", children)
        found += [child_of(item, "extension", c) for c in children if c[0].get("url") == wanted]
    return found


def _has_value(_: Context, items: Items) -> Items:
    return of_truth(len(items) == 1 and items[0][1].primitive and items[0][0] is not None)


def _get_value(_: Context, items: Items) -> Items:
    if len(items) != 1 or not items[0][1].primitive:
        return EMPTY
    value = system_value(items[0])
    found = None if value is None else item_of(value)
    return [found] if found else EMPTY


def _resolve(context: Context, items: Items) -> Items:
    found = []
    for item in items:
        resource = resolved(context, item[0])
        if resource is not None:
            target = (resource, resource_type(resource))
            found.append(rooted(target) if context.traced else target)
    return found


def resolved(context: Context, reference: Any) -> Any:
    """Return what a Reference, or its text, means; None when nobody knows it.

    The contained resources and the Bundle come first, then the resolver of the environment.
    """
    resolver = context.environment.resolver
    if isinstance(reference, dict):
        literal = reference.get("reference")
        if not isinstance(literal, str):
            # A business identifier: only whoever holds the record can look it up.
            return (
                resolver(reference) if resolver is not None and "identifier" in reference else None
            )
        reference = literal
    return _literally(context, reference) if isinstance(reference, str) else None


def _literally(context: Context, reference: str) -> Any:
    roots = list(_roots(context))
    if reference.startswith("#"):
        return next((c for root in roots for c in _contained(root, reference[1:])), None)
    target = reference.partition("#")[0].partition("/_history/")[0]
    for root in roots:
        for entry in root.get("entry") or () if root.get("resourceType") == "Bundle" else ():
            if isinstance(entry, dict) and _is_target(entry, target):
                return entry["resource"]
    resolver = context.environment.resolver
    return resolver(reference) if resolver is not None else None


def _roots(context: Context) -> Iterator[Mapping[str, Any]]:
    environment = context.environment
    for value in (environment.root_resource, environment.resource):
        if isinstance(value, Mapping):
            yield value
    for item in spread(context.focus):
        if isinstance(item[0], dict):
            yield item[0]


def _contained(root: Mapping[str, Any], id_: str) -> Iterator[Any]:
    if not id_:
        yield root
    contained = root.get("contained")
    for each in contained if isinstance(contained, list) else ():
        if isinstance(each, dict) and each.get("id") == id_:
            yield each


def _is_target(entry: Mapping[str, Any], target: str) -> bool:
    resource, full_url = entry.get("resource"), entry.get("fullUrl")
    if not isinstance(resource, dict):
        return False
    if full_url == target:
        return True
    local = f"{resource.get('resourceType')}/{resource.get('id')}"
    if isinstance(full_url, str) and "/" in full_url and not target.startswith(("http", "urn:")):
        return local == target or full_url.endswith(f"/{target}")
    return local == target


def _conforms_to(context: Context, items: Items, profile: Items) -> Items:
    item, url = one(items), one_text(profile)
    if item is None or url is None:
        return EMPTY
    check = context.environment.conforms_to
    answer = check(item[0], url) if check is not None and isinstance(item[0], dict) else None
    if answer is None:
        answer = _conforms_to_core(item, url)
    return of_truth(answer)


def _conforms_to_core(item: Item, url: str) -> bool:
    """Tell whether an item is of the core type whose definition has this canonical."""
    name = url.partition("|")[0].removeprefix(_CORE)
    if not url.startswith(_CORE) or model().type_of(name) is None:
        raise Failure(f"the profile `{url}` is not known", [item])
    return name in item[1].ancestors


def _html_checks(_: Context, items: Items) -> Items:
    item = one(items)
    if item is None:
        return EMPTY
    from carepath.fhirpath.narrative import is_safe_narrative  # noqa: PLC0415 - an HTML parser

    return of_truth(isinstance(item[0], str) and is_safe_narrative(item[0]))


FUNCTIONS: Table = {
    "extension": plain(_extension, 1, gives=Result("FHIR.Extension", of="below")),
    "hasValue": plain(_has_value, gives=A_BOOLEAN),
    "getValue": plain(_get_value),
    "resolve": plain(_resolve, gives=Result(of="targets")),
    "conformsTo": plain(_conforms_to, 1, gives=A_BOOLEAN),
    "htmlChecks": plain(_html_checks, gives=A_BOOLEAN),
    "htmlChecks2": plain(_html_checks, gives=A_BOOLEAN),
}
