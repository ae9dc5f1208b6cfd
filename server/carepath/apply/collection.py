"""An answer as a collection Bundle, as `$r5.apply` gives it.

https://hl7.org/fhir/R4/bundle.html#collection
"""

from collections.abc import Callable, Iterable

from carepath.apply.run.references import with_references
from carepath.resources import Resource


def collection(resources: Iterable[Resource], uuid: Callable[[str], str]) -> Resource:
    """Return a Bundle of the parts of an answer, which refer to each other by `urn:uuid`.

    `uuid` gives the id that a part always gets, by its name.
    """
    resources = list(resources)
    urls = {f"#{r['id']}": f"urn:uuid:{uuid(r['id'])}" for r in resources}
    entries = [
        {
            "fullUrl": urls[f"#{resource['id']}"],
            "resource": {
                **with_references(resource, urls),
                "id": urls[f"#{resource['id']}"].removeprefix("urn:uuid:"),
            },
        }
        for resource in resources
    ]
    identifier = {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid('Bundle')}"}
    return {
        "resourceType": "Bundle",
        "identifier": identifier,
        "type": "collection",
        "entry": entries,
    }
