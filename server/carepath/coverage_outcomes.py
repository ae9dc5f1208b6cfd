"""Which actions can be undetermined, so that a case must show it.

A condition is undetermined when a fact that it reads openly is empty.  Facts that are never empty
(the table in pathways/shared/README.md) and facts asked only whether they are there decide always.
"""

import re
from collections.abc import Iterable

NEVER_EMPTY = frozenset(
    {
        "dataConflict",
        "excisionOrdered",
        "gaps",
        "imaging",
        "kitOrPdgfraKnown",
        "knownTumour",
        "lymphadenectomyOrdered",
        "mdtDiscussed",
        "molecularTestOpen",
        "sourceS0",
        "sourceS1",
        "sourceS2",
        "symptoms",
    }
)
"""Facts whose absence from the record has a meaning, and collections that may have no value."""

NEVER_UNDETERMINED = {
    "mst-pathway#recurrence": "a recurrence needs a tumour of known kind, so it is in scope",
    "mst-recurrence#referral": "a recurrence needs a tumour of known kind, so it is in scope",
    "mst-recurrence#mdt": "a recurrence needs a tumour of known kind, so it is in scope",
    "mst-recurrence#restaging": "a recurrence needs a tumour of known kind, so it is in scope",
    "mst-recurrence#options": "a recurrence needs a tumour of known kind, so it is in scope",
    "mst-pathway#data-gaps": "where the scope is open, the type is a gap already",
}
"""Actions whose facts can be empty, but not in a way that leaves the action open; with reason."""

# Asking whether a fact is there, or whether some value of it holds, has an answer for no value too.
_CLOSED = re.compile(
    r"%(\w+)(?:\.where\([^()]*\))?\.(?:exists|empty|anyTrue|allTrue)\(\)|\(%(\w+)\.where\([^()]*\)\)\.empty\(\)"
)
_FACT = re.compile(r"%(\w+)")


def can_be_undetermined(conditions: Iterable[str]) -> bool:
    """Tell whether some condition reads, openly, a fact that can be empty."""
    return any(
        fact not in NEVER_EMPTY
        for text in conditions
        for fact in _FACT.findall(_CLOSED.sub("", text))
    )
