"""What may stand in a record and has nothing to do with the tumour; the table is unrelated.json."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

from carepath.resources import Resource

from .bundles import key, patient_reference
from .patients import Patient

UNRELATED: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("unrelated.json").read_text("utf-8")
)["unrelated"]


def is_unrelated(patient: Patient, conditions: Mapping[str, Any]) -> bool:
    """Tell whether a patient is one of those that the `for` of a row describes."""
    return patient.is_one_person and all(
        _CONDITIONS[name](patient, value) for name, value in conditions.items()
    )


def added(row: Mapping[str, Any]) -> Callable[[Resource, Random], Resource]:
    """Return the change that adds the resource of a row somewhere to a Bundle."""

    def add(bundle: Resource, random: Random) -> Resource:
        resource = deepcopy(row["resource"])
        resource["id"] = f"more-{row['name'].lower().replace(' ', '-')}"
        resource["subject"] = {"reference": patient_reference(bundle)}
        entry = {"resource": resource}
        if all("fullUrl" in other for other in bundle["entry"]):
            entry["fullUrl"] = _beside(bundle, resource)
        entries = list(bundle["entry"])
        entries.insert(random.randint(1, len(entries)), entry)
        return {**bundle, "entry": entries}

    return add


def _beside(bundle: Resource, resource: Resource) -> str:
    """Return a full URL of the same form as those of the other entries."""
    base = key(bundle["entry"][-1])
    if base.startswith("urn:"):
        return f"{base[:-4]}{sum(resource['id'].encode()) % 9000 + 1000}"
    return f"{base.rsplit('/', 2)[0]}/{resource['resourceType']}/{resource['id']}"


def _is_born_before(patient: Patient, year: int) -> bool:
    return patient.birth_year is not None and patient.birth_year < year


def _is_record_after(patient: Patient, year: int) -> bool:
    first = patient.first_year
    return first is not None and first > year and patient.is_tumour_dated


_CONDITIONS: Mapping[str, Callable[[Patient, Any], bool]] = {
    "bornBefore": _is_born_before,
    "recordAfter": _is_record_after,
    "otherThan": lambda patient, regions: patient.regions.isdisjoint(regions),
    "isDated": lambda patient, _: patient.is_dated,
    "withoutMetastases": lambda patient, _: not patient.has_metastases,
}
