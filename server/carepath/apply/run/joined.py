"""One request for several actions: what each adds to it.

https://hl7.org/fhir/R4/requestgroup-definitions.html#RequestGroup.action.resource
"""

from carepath.resources import Resource


def join(resource: Resource, shared: Resource) -> None:
    """Add to a request what another one says beside it: items of lists, and its description.

    Whatever can be said once only stays as it was said first.
    """
    for name, value in resource.items():
        if name not in shared:
            shared[name] = value
        elif isinstance(value, list):
            shared[name] = [*shared[name], *(item for item in value if item not in shared[name])]
        elif name == "description" and value not in shared[name]:
            shared[name] = f"{shared[name]} {value}"
