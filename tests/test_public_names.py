"""What the package exports is what is pinned here; a change is a change of the interface."""

import carepath
import carepath.fhirpath


def test_carepath_exports() -> None:
    assert sorted(carepath.__all__) == [
        "ApplyRequest",
        "Knowledge",
        "Record",
        "apply_activity",
        "apply_many",
        "apply_plan",
        "decisions_table",
    ]
    assert all(hasattr(carepath, name) for name in carepath.__all__)
    assert dir(carepath) == sorted(carepath.__all__)


def test_fhirpath_exports() -> None:
    assert {"parse", "Expression", "Environment"} <= set(carepath.fhirpath.__all__)
    assert all(hasattr(carepath.fhirpath, name) for name in carepath.fhirpath.__all__)
