"""The patients whose decisions must not change, and what transformations ask about them."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from carepath.authoring.cases import read_cases
from carepath.authoring.fact_cases import NOON, read_fact_cases
from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.resources import Resource

from .bundles import coded, dates, resources

ROOT = Path(__file__).parents[2]
KNOWLEDGE = Knowledge.shipped()
PATHWAY = "mst-pathway"
REGIONS = (
    *("upper-limb", "lower-limb", "trunk", "head-neck", "retroperitoneum", "gi-tract"),
    *("abdomen", "pelvis", "uterus", "thorax", "spine", "vessel"),
)
_VALUE_SET = "https://carepath.example/fhir/ValueSet/mst-{}-vs"
_OWN = "https://carepath.example/fhir/CodeSystem/mst-facts"
_TUMOUR_CODES = (
    *("tumour-size-code", "grade-code", "m-category-code", "pathological-stage-code"),
    *("other-stage-code", "margin-code", "histology-code"),
)
_EVENTS = {"Observation", "Procedure", "DiagnosticReport", "ImagingStudy", "Specimen"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
"""When the examples take place: after all that stands in them."""
_ABU_DHABI = timezone(timedelta(hours=4))
_TIMED = " with times"


@dataclass(frozen=True, eq=False)
class Patient:
    """One patient of the project: a Bundle as it is sent, and the circumstances of the call."""

    name: str
    bundle: Resource = field(repr=False)
    now: datetime = NOON
    pathway: str = PATHWAY
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def written_as(self) -> str:
        """Return the name of the patient as written, also for a variant with times."""
        return self.name.removesuffix(_TIMED)

    @cached_property
    def birth_year(self) -> int | None:
        """Return the year of birth, None when it is not recorded."""
        born = [r["birthDate"] for r in resources(self.bundle) if "birthDate" in r]
        return int(born[0][:4]) if born else None

    @cached_property
    def first_year(self) -> int | None:
        """Return the year of the oldest date of the record, None when nothing is dated."""
        years = [int(d[:4]) for r in resources(self.bundle) for d in dates(r)]
        return min(years, default=None)

    @cached_property
    def is_tumour_dated(self) -> bool:
        """Tell whether the record says since when the tumour is known.

        A Condition has a beginning, or a result that can only be one of a tumour has a date.  What
        has come back may be older than any record of it; what was entered in error says nothing.
        """
        found = [r for r in resources(self.bundle) if r.get("status") != "entered-in-error"]
        if any(map(_has_come_back, found)):
            return False
        return any(_has_a_beginning(r) or (_is_of_a_tumour(r) and any(dates(r))) for r in found)

    @cached_property
    def is_dated(self) -> bool:
        """Tell whether each result and procedure has a date."""
        return all(any(dates(r)) for r in resources(self.bundle) if r["resourceType"] in _EVENTS)

    @cached_property
    def is_one_person(self) -> bool:
        """Tell whether there is one Patient, whom other resources can name."""
        people = [e for e in self.bundle["entry"] if e["resource"]["resourceType"] == "Patient"]
        return len(people) == 1 and ("id" in people[0]["resource"] or "fullUrl" in people[0])

    @cached_property
    def regions(self) -> frozenset[str]:
        """Return the regions of the body that any code of the record names."""
        return frozenset(r for r in REGIONS if self._names(_VALUE_SET.format(f"site-{r}")))

    @cached_property
    def has_metastases(self) -> bool:
        """Tell whether some code of the record says, or may say, metastasis."""
        wanted = [_VALUE_SET.format(name) for name in ("metastasis", "metastasis-history", "m1")]
        in_sets = any(self._names(value_set) for value_set in wanted)
        codes = [c["code"].upper() for r in resources(self.bundle) for c in coded(r)]
        return in_sets or any(re.match(r"C7[789]|.*/6$|M1|258228008", code) for code in codes)

    def _names(self, value_set: str) -> bool:
        """Tell whether the record holds a code of a value set, whatever its system."""
        codes = _codes(value_set)
        return any(c["code"] in codes for r in resources(self.bundle) for c in coded(r))


def _has_a_beginning(resource: Resource) -> bool:
    """Tell whether a Condition says when it began or was first recorded; its end says nothing."""
    keys = ("onsetDateTime", "onsetPeriod", "recordedDate")
    return resource["resourceType"] == "Condition" and any(key in resource for key in keys)


def _has_come_back(resource: Resource) -> bool:
    """Tell whether a Condition is a recurrence or relapse by its clinical status."""
    status = resource.get("clinicalStatus")
    codings = status.get("coding") if isinstance(status, dict) else None
    return resource["resourceType"] == "Condition" and any(
        coding.get("code") in ("recurrence", "relapse") for coding in codings or ()
    )


def _is_of_a_tumour(resource: Resource) -> bool:
    """Tell whether an Observation has a code that speaks of a tumour and of nothing else."""
    codes = {(c["system"], c["code"]) for c in resource.get("code", {}).get("coding", ())}
    wanted = {code for name in _TUMOUR_CODES for code in _codings(_VALUE_SET.format(name))}
    return resource["resourceType"] == "Observation" and (
        not codes.isdisjoint(wanted) or any(system == _OWN for system, _ in codes)
    )


def all_patients() -> tuple[Patient, ...]:
    """Return every patient of cases, fact cases and examples, and of the folder beside the project.

    Raises nothing when there is no such folder.
    """
    named = {patient.name: patient for patient in _each_patient()}
    timed = [_with_times(p) for p in list(named.values())[::7] if p.first_year]
    return (*named.values(), *timed)


@cache
def _codings(value_set: str) -> frozenset[tuple[str, str]]:
    expansion = KNOWLEDGE.terminology.expansion(value_set)
    assert expansion is not None, value_set
    return expansion.codes


@cache
def _codes(value_set: str) -> frozenset[str]:
    return frozenset(code for _, code in _codings(value_set))


def _each_patient() -> Iterator[Patient]:
    for case in read_cases(ROOT / "tests/cases"):
        bundle = _as_bundle(case.given)
        yield Patient(f"cases/{case.name}", bundle, case.now, case.pathway, case.parameters)
    for fact_case in read_fact_cases(ROOT / "tests/facts/cases"):
        bundle = _as_bundle(list(fact_case.given))
        name = f"facts/{fact_case.name}"
        yield Patient(name, bundle, fact_case.now, parameters=fact_case.parameters)
    for path in sorted((ROOT / "examples").glob("*.json")):
        content = decode(path.read_bytes())
        if content["resourceType"] == "Bundle":
            yield Patient(f"examples/{path.stem}", content, _NEW_YEAR)
    for path in sorted((ROOT / "../shared/patients").glob("*.json")):
        content = decode(path.read_bytes())
        if "subject" not in content and content["input"]["resourceType"] == "Bundle":
            now, parameters = datetime.fromisoformat(content["now"]), content.get("parameters", {})
            yield Patient(f"patients/{path.stem}", content["input"], now, parameters=parameters)


def _as_bundle(given: Any) -> Resource:
    """Return a Bundle of what a case gives: a Bundle or a list of resources."""
    if isinstance(given, dict):
        return given
    entries = [{"resource": resource} for resource in given]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _with_times(patient: Patient) -> Patient:
    """Return a variant whose days are instants: half past midnight, so that UTC has another day."""
    bundle = deepcopy(patient.bundle)
    for resource in resources(bundle):
        for name, value in resource.items():
            if isinstance(value, str) and name != "birthDate" and _DAY.fullmatch(value):
                at = datetime.fromisoformat(value).replace(minute=30, tzinfo=_ABU_DHABI)
                resource[name] = at.isoformat()
    return replace(patient, name=f"{patient.name}{_TIMED}", bundle=bundle)
