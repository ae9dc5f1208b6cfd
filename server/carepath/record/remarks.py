"""What was noticed when a record was read: a sentence, and which rule it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass

from carepath.issues import Issue, Severity

MOST_REMARKS = 100
"""So many are told of one record: a large one that fits nobody must not flood the answer."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that a reader must know: `reference` names the resource, empty for the whole."""

    rule: str
    severity: Severity
    code: str
    reference: str
    sentence: str

    def as_issue(self) -> Issue:
        """Return the remark as an issue of the answer."""
        return Issue(self.severity, self.code, self.sentence)


def foremost(remarks: Sequence[Remark]) -> tuple[Remark, ...]:
    """Return the remarks to tell, in their order: all, or of many the gravest and their number."""
    if len(remarks) <= MOST_REMARKS:
        return tuple(remarks)
    gravest = sorted(remarks, key=lambda remark: remark.severity == "information")[:MOST_REMARKS]
    kept = set(gravest)
    text = f"{len(remarks) - MOST_REMARKS} more remarks about the data are not shown."
    more = Remark("remarks", "information", "informational", "", text)
    return (*(remark for remark in remarks if remark in kept), more)
