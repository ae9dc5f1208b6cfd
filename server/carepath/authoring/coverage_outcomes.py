"""Which actions can be undetermined, so that a case must show it.

A condition is undetermined when a fact that it reads openly is empty.  Facts that are never empty
(the Library marks them) and facts asked only whether they are there decide always; of some actions
the plan says why they are never left open.
"""

import re
from collections.abc import Iterable

from carepath.apply.compile.names import FACT, OF_GAPS, named_expressions
from carepath.knowledge import Knowledge
from carepath.resources import Resource

NEVER_EMPTY = "https://carepath.example/fhir/StructureDefinition/never-empty"
NEVER_UNDETERMINED = "https://carepath.example/fhir/StructureDefinition/never-undetermined"

# Asking whether a fact is there, or whether some value of it holds, has an answer for no value too.
_CLOSED = re.compile(
    r"%(\w+)(?:\.where\([^()]*\))?\.(?:exists|empty|anyTrue|allTrue)\(\)|\(%(\w+)\.where\([^()]*\)\)\.empty\(\)"
)
_FACT = re.compile(r"%(\w+)")


def never_empty(knowledge: Knowledge) -> frozenset[str]:
    """Return the names whose absence from a record has a meaning, or that may have no value."""
    marked = (
        fact["name"]
        for library in knowledge.all("Library")
        for fact in named_expressions(library.get("extension"), FACT)
        if any(part.get("url") == NEVER_EMPTY for part in fact.get("extension") or ())
    )
    return OF_GAPS.union(marked)


def is_exempt(action: Resource) -> bool:
    """Tell whether the plan says why this action is never left open."""
    return any(part.get("url") == NEVER_UNDETERMINED for part in action.get("extension") or ())


def can_be_undetermined(conditions: Iterable[str], decided: frozenset[str]) -> bool:
    """Tell whether some condition reads, openly, a fact that is not among those always decided."""
    return any(
        fact not in decided for text in conditions for fact in _FACT.findall(_CLOSED.sub("", text))
    )
