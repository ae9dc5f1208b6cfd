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
    **statements.FUNCTIONS,
    **terminology.FUNCTIONS,
}
DEFINING = frozenset(name for name, row in FUNCTIONS.items() if row.effect == "scope")
"""Functions that define a variable."""
FOLLOWING = frozenset(name for name, row in FUNCTIONS.items() if row.follows)
"""Functions that follow references."""
