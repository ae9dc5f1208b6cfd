"""The table of all transformations: changes of a record that say the same about the patient.

Its order is the order in which several are applied: what stands in the record, then how it is
written, then what it is called, then how it is sent.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from carepath.resources import Resource

from . import additions, codes, names, shapes
from .patients import Patient
from .unrelated import UNRELATED, added, is_unrelated

Change = Callable[[Resource, Random], Resource]
"""From a Bundle of one's own, which may be changed, to what is sent instead."""

NOT_NEUTRAL: Mapping[tuple[str, str], str] = {
    (row["transformation"], row["patient"]): row["reason"]
    for row in json.loads(Path(__file__).with_name("not_neutral.json").read_text("utf-8"))["rows"]
}
"""By transformation and patient why it says something else for this one."""


@dataclass(frozen=True)
class Transformation:
    """A change with a name, and the patients for whom it is neutral."""

    name: str
    change: Change = field(repr=False)
    applies_to: Callable[[Patient], bool] = field(default=lambda _: True, repr=False)

    def is_neutral_for(self, patient: Patient) -> bool:
        """Tell whether it says the same for a patient, those left out that a reason names."""
        return (self.name, patient.written_as) not in NOT_NEUTRAL and self.applies_to(patient)


def transformed(patient: Patient, chosen: Sequence[Transformation], seed: int) -> Resource:
    """Return what is sent when a patient's Bundle goes through transformations, in table order."""
    sent = deepcopy(patient.bundle)
    random = chance(seed)
    for transformation in sorted(chosen, key=TRANSFORMATIONS.index):
        sent = transformation.change(sent, random)
    return sent


def chance(seed: int | str) -> Random:
    """Return choices that are the same in each run."""
    return Random(seed)  # noqa: S311 - nothing here is secret


def _is_not_posted(patient: Patient) -> bool:
    """Tell whether no entry creates a resource: two POST entries are two resources."""
    return all(e.get("request", {}).get("method") != "POST" for e in patient.bundle["entry"])


def _table() -> Iterator[Transformation]:
    for row in UNRELATED:
        applies = partial(_fits, row["for"])
        yield Transformation(f"with {row['name']}", added(row), applies)
    yield Transformation("older versions", shapes.older_versions, _is_not_posted)
    yield Transformation("duplicates", shapes.duplicates, _is_not_posted)
    for change in _CHANGES:
        yield Transformation(change.__name__.replace("_", " "), change)


def _fits(conditions: Mapping[str, Any], patient: Patient) -> bool:
    return is_unrelated(patient, conditions)


_CHANGES: tuple[Change, ...] = (
    codes.synonyms,
    codes.millimetres,
    codes.icd_without_dots,
    codes.icd_in_small_letters,
    codes.morphology_with_m,
    codes.without_displays,
    codes.with_displays,
    codes.coding_versions,
    codes.user_selected,
    codes.systems_as_oid,
    codes.systems_as_urn_oid,
    codes.snomed_edition,
    codes.snomed_version,
    codes.trailing_slash,
    codes.https,
    codes.capital_host,
    codes.local_codings,
    additions.sender_meta,
    additions.narratives,
    additions.unknown_extensions,
    additions.another_zone,
    additions.in_utc,
    names.other_ids,
    names.urns,
    names.urns_beside_ids,
    names.urns_in_capitals,
    names.absolute_references,
    names.relative_references,
    shapes.as_collection,
    shapes.as_searchset,
    shapes.as_transaction,
    shapes.as_batch,
    shapes.shuffled,
    shapes.reversed_order,
    shapes.in_parameters,
    shapes.in_two_parts,
)
TRANSFORMATIONS = tuple(_table())
