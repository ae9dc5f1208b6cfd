"""What `make bench-http` sends, and to which plans: two Bundles of 20 entries.

Both consist of official R4 examples with their narratives, compactly written, made to be about
one patient.  In the first, ten Observations carry the codes and values that the plan of
`make bench-apply` asks for; in the second stands the project's example of a stomach tumour.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from apply_case import BASE, VALUES, definitions

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "../shared/suites/fhir-r4-examples"
ENTRIES = 20
SUBJECTS = ("subject", "patient", "beneficiary")
OBSERVATIONS = (
    "bloodpressure",
    "bmi",
    "f001-glucose",
    "f002-excess",
    "f003-co2",
    "f005-hemoglobin",
    "f202-temperature",
    "f204-creatinine",
    "respiratory-rate",
    "satO2",
)
OTHERS = (
    "diagnosticreport-example-f201-brainct",
    "encounter-example-f001-heart",
    "procedure-example-biopsy",
    "careplan-example",
    "condition-example-stroke",
    "allergyintolerance-example",
    "immunization-example",
    "familymemberhistory-example",
    "specimen-example",
)


class Case(NamedTuple):
    """One Bundle and the plans that it is sent to."""

    name: str
    body: bytes
    plans: tuple[str, ...]


def cases() -> tuple[Case, ...]:
    """Return the Bundles; raises SystemExit where the official examples are not there."""
    if not EXAMPLES.exists():
        raise SystemExit("the official R4 examples are not beside this checkout")
    return (
        Case("20 official examples", _official(), ("bench",)),
        Case("20 entries about a GIST", _clinical(), ("mst-gist", "mst-pathway")),
    )


def write_definitions(folder: Path) -> None:
    """Write the plan of `make bench-apply` with its Library and activities, a file each."""
    for number, definition in enumerate(definitions()):
        (folder / f"{number}.json").write_text(json.dumps(definition), "utf-8")


def _official() -> bytes:
    patient = _example("patient-example")
    observations = [
        _measured(_example(f"observation-example-{name}"), code)
        for name, code in zip(OBSERVATIONS, VALUES, strict=True)
    ]
    return _bundle(patient, [*observations, *map(_example, OTHERS)])


def _clinical() -> bytes:
    sent = json.loads((ROOT / "examples/mcode-collection.json").read_text("utf-8"))
    own = [entry["resource"] for entry in sent["entry"]]
    patient = next(resource for resource in own if resource["resourceType"] == "Patient")
    own.remove(patient)
    further = [*map(_example, OTHERS), _example("observation-example-bmi")]
    return _bundle(patient, [*own, *further])


def _measured(observation: Json, code: str) -> Json:
    """Return an Observation that says what the benchmark's plan asks for."""
    kept = {name: part for name, part in observation.items() if not name.startswith("value")}
    codings = [{"system": BASE, "code": code}, *observation["code"]["coding"]]
    kept["code"] = {**observation["code"], "coding": codings}
    return {**kept, **json.loads(json.dumps(VALUES[code], default=float))}


def _bundle(patient: Json, others: list[Json]) -> bytes:
    reference = {"reference": f"Patient/{patient['id']}"}
    about = [{**r, **{key: reference for key in SUBJECTS if key in r}} for r in others]
    entries = [{"resource": resource} for resource in (patient, *about)][:ENTRIES]
    if len(entries) != ENTRIES:
        raise SystemExit(f"the Bundle has {len(entries)} entries")
    content = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _example(name: str) -> Json:
    found: Json = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return found
