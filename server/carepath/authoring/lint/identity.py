"""Rules on who a definition is: names that agree, a status that somebody answers for.

https://hl7.org/fhir/R4/metadatatypes.html and https://hl7.org/fhir/R4/valueset-publication-status.html
"""

from collections.abc import Iterator

from carepath.authoring.lint.roots import has_canonical
from carepath.issues import Issue, Severity
from carepath.knowledge import Knowledge
from carepath.resources import Resource

APPROVAL = "http://hl7.org/fhir/StructureDefinition/resource-approvalDate"
"""The extension that dates the approval of a definition without an element for it."""
_DECIDED_ON = frozenset({"PlanDefinition", "ActivityDefinition", "Library"})
_CLAIMS = ("reviewer", "endorser", "approvalDate")
_NEVER_EXPERIMENTAL = frozenset({"ImplementationGuide"})


def is_named_alike(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """The url ends in type and id, and the name is the id in capitals: `lung-ct`, `LungCt`."""
    resource_type, name = definition["resourceType"], str(definition.get("id", ""))
    if not has_canonical(resource_type):
        return
    if not name:
        yield _issue(definition, "id", "The id is missing; write the end of the url")
        return
    url = str(definition.get("url", ""))
    if url and not url.endswith(f"/{resource_type}/{name}"):
        yield _issue(
            definition, "url", f"The url `{url}` should end in /{resource_type}/{name}", "warning"
        )
    if str(definition.get("name", "")).lower() != name.replace("-", "").lower():
        yield _issue(
            definition, "name", f"The name should be the id `{name}` in capitals", "warning"
        )


def has_a_url_and_version(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """A definition has the url that others name it by, and a version that they can pin."""
    if not has_canonical(definition["resourceType"]):
        return
    if not definition.get("url"):
        yield _issue(definition, "url", "The url is missing: nothing else can name this definition")
    if not definition.get("version"):
        yield _issue(definition, "version", "The version is missing; write one such as 0.1.0")


def has_an_id_of_its_own(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """No two definitions of a type with different urls have the same id."""
    for other in knowledge.all(definition["resourceType"]):
        is_same = "id" in definition and other.get("id") == definition["id"]
        if is_same and other.get("url") != definition.get("url"):
            text = (
                f"The id `{definition['id']}` is that of `{other.get('url')}`, too: a request by "
                "id could mean either; choose another id"
            )
            yield _issue(definition, "id", text)


def is_a_draft(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """A definition is a draft, and experimental, until it says who approved it and when."""
    if not has_canonical(definition["resourceType"]):
        return
    status = definition.get("status")
    if status == "draft":
        is_experimental = definition.get("experimental") is True
        if not is_experimental and definition["resourceType"] not in _NEVER_EXPERIMENTAL:
            text = "A draft should be experimental: write true"
            yield _issue(definition, "experimental", text, "warning")
    elif status != "retired" and (lacking := _lacking(definition)):
        text = (
            f"The status is {status}, and {' and '.join(lacking)} "
            f"{'is' if len(lacking) == 1 else 'are'} missing: say who approved it and when, or "
            "write the status draft"
        )
        is_decided_on = definition["resourceType"] in _DECIDED_ON
        yield _issue(definition, "status", text, "error" if is_decided_on else "warning")


def _lacking(definition: Resource) -> list[str]:
    """Return what a definition lacks that says who approved it and when."""
    if definition["resourceType"] in _DECIDED_ON:
        return [key for key in ("approvalDate", "reviewer") if not definition.get(key)]
    extensions = definition.get("extension") or ()
    is_approved = any(part.get("url") == APPROVAL for part in extensions)
    return [] if is_approved else ["the extension resource-approvalDate"]


def claims_no_review(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """A draft names no reviewer, endorser or approval: they stay empty until it is approved."""
    if definition.get("status") == "draft":
        for key in _CLAIMS:
            if key in definition:
                text = "This is a draft that nobody has approved; leave it empty until it is active"
                yield _issue(definition, key, text)


def _issue(definition: Resource, element: str, text: str, severity: Severity = "error") -> Issue:
    place = f"{definition['resourceType']}.{element}"
    return Issue(severity, "business-rule", f"{text}.", (place,))
