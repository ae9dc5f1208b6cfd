"""What is about to be: the orders and problems that a call is about, as data of the patient.

https://cds-hooks.org/hooks/order-select/ and https://cds-hooks.org/hooks/order-sign/

Whatever an EHR writes there, an order that nobody has signed is a draft and no order.
"""

from carepath.web.cds_hooks.prefetch import Sent, sent_in
from carepath.web.cds_hooks.request import HookRequest

_DRAFT = "draft"


def about_to_be(request: HookRequest) -> list[Sent]:
    """Return the resources in the context that a call is about.

    Where it says which of them were selected, those are judged and no others.
    """
    kind = request.kind
    found = list(sent_in(request.context.get(kind.resources), f"context.{kind.resources}"))
    selected = set(request.context.get(kind.selections) or ())
    if selected:
        found = [one for one in found if names_of(one) & selected] or found
    return [_as_draft(one) for one in found] if kind.are_drafts else found


def names_of(one: Sent) -> set[str]:
    """Return how a resource is referred to: `Type/id`, and the bare id, which clients write too."""
    resource = one.resource if isinstance(one.resource, dict) else {}
    id_ = resource.get("id")
    return {f"{resource.get('resourceType')}/{id_}", id_} if isinstance(id_, str) else set()


def _as_draft(one: Sent) -> Sent:
    if not isinstance(one.resource, dict) or one.resource.get("status") == _DRAFT:
        return one
    return Sent({**one.resource, "status": _DRAFT}, one.place, one.full_url)
