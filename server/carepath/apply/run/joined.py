"""One request for several actions: what each adds to it.

https://hl7.org/fhir/R4/requestgroup-definitions.html#RequestGroup.action.resource
"""

from carepath.r4.model import Type, type_of
from carepath.resources import Resource

_MEANING = ("doNotPerform", "modifierExtension")


def mean_alike(resource: Resource, shared: Resource) -> bool:
    """Tell whether requests ask for the same kind of thing: both to do, or both not to do."""
    return all(resource.get(name) == shared.get(name) for name in _MEANING)


def join(resource: Resource, shared: Resource) -> None:
    """Add to a request what another one says beside it: items of lists, and its description.

    Whatever can be said once only stays as it was said first.
    """
    found = type_of(shared["resourceType"])
    for name, value in resource.items():
        if found is not None and _has_other_form(found, shared, name):
            continue
        if name not in shared:
            shared[name] = value
        elif isinstance(value, list):
            shared[name] = [*shared[name], *(item for item in value if item not in shared[name])]
        elif name == "description" and value not in shared[name]:
            shared[name] = f"{shared[name]} {value}"


def _has_other_form(found: Type, shared: Resource, name: str) -> bool:
    """Tell whether a choice stands in another form already, of which R4 allows one."""
    element = found.elements.get(name)
    if element is None or not element.choice:
        return False
    return any(e.name != name and e.name in shared for e in found.choices[element.choice])
