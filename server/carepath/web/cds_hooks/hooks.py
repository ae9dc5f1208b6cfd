"""The hooks whose context is known here: what of it is data, and what of that is a draft.

https://cds-hooks.org/hooks/

A hook of others, which is named like a domain (`org.example.board-opened`), is answered from its
prefetch alone.  Any other named event is none of an EHR's.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple


class Hook(NamedTuple):
    """What the context of a hook holds beside ids."""

    resources: str = ""
    """The element with what is about to be: a Bundle, or one resource."""
    are_drafts: bool = False
    """Whether these are orders that nobody has signed."""
    selections: str = ""
    """The element with the references of those that the call is about; empty: it is about all."""


PLAIN = Hook()
HOOKS: Mapping[str, Hook] = {
    "patient-view": PLAIN,
    "encounter-start": PLAIN,
    "encounter-discharge": PLAIN,
    "order-select": Hook("draftOrders", are_drafts=True, selections="selections"),
    "order-sign": Hook("draftOrders", are_drafts=True),
    "order-dispatch": PLAIN,
    "appointment-book": Hook("appointments"),
    "problem-list-item-create": Hook("conditions"),
    "allergyintolerance-create": Hook("allergyIntolerance"),
    "medication-refill": Hook("medications"),
    # Hooks of CDS Hooks 1.0, which plans still name.
    "medication-prescribe": Hook("medications", are_drafts=True),
    "order-review": Hook("orders", are_drafts=True),
}
_OF_OTHERS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)
"""https://cds-hooks.hl7.org/2.0/#hook-definition-format"""


def is_hook(name: object) -> bool:
    """Tell whether the name of an event is that of a hook: an event may be any other, too."""
    return isinstance(name, str) and (name in HOOKS or _OF_OTHERS.fullmatch(name) is not None)
