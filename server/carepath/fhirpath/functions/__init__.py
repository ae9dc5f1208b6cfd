"""The function table of FHIRPath: one row per function, one module per chapter.

https://hl7.org/fhirpath/#functions
"""

from carepath.fhirpath.functions import (
    aggregates,
    boundaries,
    conversion,
    dates,
    existence,
    factory,
    fhir,
    filtering,
    location,
    math,
    references,
    statements,
    strings,
    subsetting,
    terminology,
    types,
    utility,
)
from carepath.fhirpath.functions.row import Table

FUNCTIONS: Table = {
    **factory.FUNCTIONS,
    **existence.FUNCTIONS,
    **filtering.FUNCTIONS,
    **subsetting.FUNCTIONS,
    **conversion.FUNCTIONS,
    **strings.FUNCTIONS,
    **math.FUNCTIONS,
    **aggregates.FUNCTIONS,
    **dates.FUNCTIONS,
    **boundaries.FUNCTIONS,
    **types.FUNCTIONS,
    **utility.FUNCTIONS,
    **fhir.FUNCTIONS,
    **references.FUNCTIONS,
    **location.FUNCTIONS,
    **statements.FUNCTIONS,
    **terminology.FUNCTIONS,
}
DEFINING = frozenset(name for name, row in FUNCTIONS.items() if row.effect == "scope")
"""Functions that define a variable."""
FOLLOWING = frozenset(name for name, row in FUNCTIONS.items() if row.follows)
"""Functions that follow references."""
PLACING = frozenset(name for name, row in FUNCTIONS.items() if row.needs_places)
"""Functions that ask where their items stand."""


def asks_for_places(text: str) -> bool:
    """Tell whether an expression may ask where items stand, so that it has to be traced."""
    return any(name in text for name in PLACING)
