"""The answer as a transaction: what any FHIR server takes and stores.

https://hl7.org/fhir/R4/http.html#transaction and
https://hl7.org/fhir/R4/http.html#ccreate
"""

from collections.abc import Callable
from typing import Any, cast

from carepath.apply.run.references import with_references
from carepath.r4.model import type_of
from carepath.resources import Resource

_SYSTEM = "urn:ietf:rfc:3986"


def transaction(care_plan: Resource, uuid: Callable[[str], str]) -> Resource:
    """Return the CarePlan, and each resource that it contains, as entries that create them.

    `uuid` gives the same id for the same part of the same answer.  Each entry has an identifier of
    that id and is created only where nobody has it yet; references are by `urn:uuid`.  The issues
    stay contained, for they are about the answer and nothing to store.
    """
    inside = care_plan.get("contained") or ()
    stored = [r for r in inside if r["resourceType"] != "OperationOutcome"]
    kept = [r for r in inside if r["resourceType"] == "OperationOutcome"]
    urls = {f"#{r['id']}": f"urn:uuid:{uuid(r['id'])}" for r in stored}
    urls["#"] = f"urn:uuid:{uuid('CarePlan')}"
    plan = {name: value for name, value in care_plan.items() if name != "contained"}
    if kept:
        plan = _with_contained(plan, kept)
    entries = [_entry(with_references(plan, urls), urls["#"])]
    for resource in stored:
        made = {name: value for name, value in resource.items() if name != "id"}
        if made["resourceType"] == "RequestGroup":
            made["action"] = [_without_ours(action) for action in made.get("action") or ()]
            made = made if made["action"] else {n: v for n, v in made.items() if n != "action"}
        entries.append(_entry(with_references(made, urls), urls[f"#{resource['id']}"]))
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _without_ours(action: Resource) -> Resource:
    """Return an action that names a Questionnaire of this service by its canonical URL alone."""
    made = dict(action)
    target = action.get("resource") or {}
    if "identifier" in target and str(target.get("reference")).startswith("Questionnaire/"):
        made["resource"] = {name: v for name, v in target.items() if name != "reference"}
    if "action" in action:
        made["action"] = [_without_ours(inner) for inner in action["action"]]
    return made


def _with_contained(plan: Resource, kept: list[Resource]) -> Resource:
    """Return a CarePlan with contained resources in their place, before all that refers to them."""
    made: Resource = {}
    for name, value in plan.items():
        if name not in ("resourceType", "meta", "language", "text") and "contained" not in made:
            made["contained"] = kept
        made[name] = value
    return made


def _entry(resource: Resource, url: str) -> Resource:
    """Return the entry that creates a resource where there is none with its identifier."""
    kind = str(resource["resourceType"])
    request: Resource = {"method": "POST", "url": kind}
    found = type_of(kind)
    element = found.elements.get("identifier") if found is not None else None
    if element is not None:
        resource = _identified(resource, url, is_list=element.is_list)
        request["ifNoneExist"] = f"identifier={_SYSTEM}|{url}"
    return {"fullUrl": url, "resource": resource, "request": request}


def _identified(resource: Resource, url: str, *, is_list: bool) -> Resource:
    """Return a resource that has the identifier of its entry, beside any of its own."""
    own = {"system": _SYSTEM, "value": url}
    if not is_list:
        return {**resource, "identifier": own}
    others = cast("list[Any]", resource.get("identifier") or [])
    return {**resource, "identifier": [*(i for i in others if i != own), own]}
