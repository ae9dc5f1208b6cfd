"""Where the official suites are: in `CAREPATH_SUITES`, in `.suites` or beside the checkout.

`make suites` fetches them into `.suites`.  A test whose suite is not there is skipped with that
reason, unless `CAREPATH_SUITES_NEEDED` names the suite: then its absence is an error.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return the folders that may hold suites, the first wins; a named one is the only one."""
    named = environment.get("CAREPATH_SUITES")
    return (Path(named),) if named else (ROOT / ".suites", ROOT / "../shared/suites")


def suite(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of a suite; where it would be when it is not there.

    Raises FileNotFoundError for a suite that is not there though the environment says it is needed.
    """
    places = [folder / name for folder in folders(environment)]
    found = next((place for place in places if place.is_dir()), None)
    if found is None and name in environment.get("CAREPATH_SUITES_NEEDED", "").split():
        tried = " or ".join(str(folder) for folder in folders(environment))
        raise FileNotFoundError(f"The suite `{name}` is not in {tried}: `make suites` fetches it.")
    return found or places[0]


EXAMPLES = suite("fhir-r4-examples")
FHIRPATH_R4 = suite("fhirpath-r4")
FHIRPATH_R5 = suite("fhirpath-r5")
VALIDATOR_R4 = suite("validator-r4")


def missing(folder: Path) -> str:
    """Return why a test that reads a suite is skipped where the suite is not there."""
    return f"the suite `{folder.name}` is not here: `make suites` fetches it"


def needs(folder: Path) -> pytest.MarkDecorator:
    """Return the mark of a test that reads a suite."""
    return pytest.mark.skipif(not folder.is_dir(), reason=missing(folder))
