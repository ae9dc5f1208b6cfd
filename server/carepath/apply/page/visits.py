"""What is to be done in a stretch of time to come, one line for each, the nearest first.

https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.requestedPeriod
"""

from collections.abc import Iterable

from carepath.apply.page.items import Items
from carepath.apply.page.order import Placed
from carepath.apply.page.sheet import Item, Visit


def visits(placed: Iterable[Placed], items: Items) -> tuple[Visit, ...]:
    """Return the visits to come; what is titled alike stands in each once."""
    found: dict[tuple[str, str], dict[str, Item]] = {}
    for one in placed:
        if one.part == "visit":
            item = items.item(one)
            found.setdefault(one.days, {}).setdefault(item.title, item)
    ordered = sorted(found.items())
    return tuple(Visit(start, end, tuple(of.values())) for (start, end), of in ordered)
