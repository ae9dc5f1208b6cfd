"""Carepath: FHIR R4 clinical pathways, applied and explained.

The names below are loaded when they are first used, so that a part such as `carepath.fhirpath` can
be imported without the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from carepath.apply import ApplyRequest, apply_activity, apply_plan
    from carepath.knowledge import Knowledge
    from carepath.population.iterate import apply_many
    from carepath.population.table import decisions_table
    from carepath.record import Record

__all__ = [
    "ApplyRequest",
    "Knowledge",
    "Record",
    "apply_activity",
    "apply_many",
    "apply_plan",
    "decisions_table",
]

_HOMES = {
    "ApplyRequest": "carepath.apply",
    "Knowledge": "carepath.knowledge",
    "Record": "carepath.record",
    "apply_activity": "carepath.apply",
    "apply_many": "carepath.population.iterate",
    "apply_plan": "carepath.apply",
    "decisions_table": "carepath.population.table",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module `carepath` has no attribute `{name}`")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """Return the public names, which are not there before they are used."""
    return sorted(__all__)
