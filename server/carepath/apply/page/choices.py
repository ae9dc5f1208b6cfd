"""Ways between which the reader chooses, side by side, with those that wait for something.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.selectionBehavior
"""

from collections.abc import Iterable

from carepath.apply.page.items import Items, instruction, title_of
from carepath.apply.page.order import Placed
from carepath.apply.page.sheet import Choice, Item


def choices(placed: Iterable[Placed], items: Items) -> tuple[Choice, ...]:
    """Return the choices, in plan order; each holds one open option at least."""
    groups: dict[int, tuple[Placed, list[Item]]] = {}
    for one in placed:
        if one.part in ("option", "waiting"):
            _, options = groups.setdefault(id(one.group), (one, []))
            made = items.item(one) if one.part == "option" else items.waiting(one)
            if all((made.title, made.text) != (o.title, o.text) for o in options):
                options.append(made)
    return tuple(_choice(first, options, items) for first, options in groups.values())


def _choice(first: Placed, options: list[Item], items: Items) -> Choice:
    group = first.group or first.step
    return Choice(
        title=title_of(group),
        text=instruction(group),
        options=tuple(options),
        behavior=str((group.result or {}).get("selectionBehavior") or ""),
        notes=items.footnotes.of(group.action.conflicts),
    )
