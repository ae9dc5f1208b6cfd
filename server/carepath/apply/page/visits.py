"""What is to be done in a stretch of time to come, one line for each, the nearest first.

https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.requestedPeriod
"""

from collections.abc import Iterable

from carepath.apply.page.items import Items, title_of
from carepath.apply.page.order import Placed
from carepath.apply.page.sheet import Item, Visit


def visits(placed: Iterable[Placed], items: Items) -> tuple[Visit, ...]:
    """Return the visits to come; what is titled alike stands in each once."""
    found: dict[tuple[str, str], dict[str, Item]] = {}
    intervals: dict[tuple[str, str], str] = {}
    for one in placed:
        if one.part == "visit":
            item = items.item(one)
            found.setdefault(one.days, {}).setdefault(item.title, item)
            if one.step.request == "Appointment" and one.around:
                intervals.setdefault(one.days, title_of(one.around[0]))
    return tuple(
        Visit(*days, tuple(of.values()), intervals.get(days, ""))
        for days, of in sorted(found.items())
    )
