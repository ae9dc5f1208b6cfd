"""A large resource is looked at in pieces, and still every fault has its place in the whole."""

import time
from typing import Any

import pytest

from carepath.validation import check_structure, readable
from carepath.validation.structure import chunks as pieces
from carepath.validation.structure import reading

ODD = {"resource": {"resourceType": "Patient", "gender": "M"}}
FINE = {"resource": {"resourceType": "Patient", "gender": "male"}}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MOST_NODES", 40)


def bundle(*entries: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries), **elements}


def places(resource: dict[str, Any]) -> list[str]:
    return [issue.expression[0] for issue in check_structure(resource)]


def test_each_entry_keeps_its_index() -> None:
    entries = [ODD if index in (0, 17, 49) else FINE for index in range(50)]
    assert places(bundle(*entries)) == [
        f"Bundle.entry[{index}].resource.gender" for index in (0, 17, 49)
    ]


def test_what_is_around_the_entries_is_checked_too() -> None:
    entries = [FINE] * 50
    assert places(bundle(*entries, foo=1)) == ["Bundle.foo"]
    assert places({"resourceType": "Bundle", "entry": entries}) == ["Bundle.type"]


def test_a_bundle_in_parameters_is_cut_as_well() -> None:
    inner = bundle(*[FINE] * 50, ODD)
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "subject", "valueString": 1}, {"name": "data", "resource": inner}],
    }
    assert sorted(places(parameters)) == [
        "Parameters.parameter[0].value",
        "Parameters.parameter[1].resource.entry[50].resource.gender",
    ]


def test_around_a_large_resource_in_parameters() -> None:
    parameter = {"name": 1, "resource": bundle(*[FINE] * 50)}
    parameters = {"resourceType": "Parameters", "parameter": [parameter]}
    assert places(parameters) == ["Parameters.parameter[0].name"]


def test_a_large_resource_of_another_type_is_listed_in_part_and_never_accepted() -> None:
    patient = {"resourceType": "Patient", "name": [{"given": ["A"]} for _ in range(100)]}
    patient["name"][-1] = {"foo": 1}
    assert places(patient) == ["Patient"]
    assert places(bundle({"resource": patient})) == ["Bundle.entry[0]"]
    (issue,) = check_structure(patient, lenient=True)
    assert (issue.severity, issue.code) == ("error", "too-costly")
    patient["name"][0] = {"bar": 1}
    assert places(patient) == ["Patient.name[0].bar", "Patient"]


def test_a_large_valid_resource_is_accepted() -> None:
    assert check_structure({"resourceType": "Patient", "name": [{"text": "A"}] * 500}) == ()


def test_an_unsafe_fault_behind_many_warnings_is_still_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "MOST_ISSUES", 5)
    wrong = {"resource": {"resourceType": "Patient", "birthDate": "1970-02-30"}}
    found = readable(bundle(*[ODD] * 50, *[wrong] * 7))
    assert [one.place for one in found.left_out] == [
        f"Bundle.entry[{index}].resource" for index in range(50, 57)
    ]
    assert found.issues == tuple(one.issue for one in found.left_out[:5])
    issues = check_structure({**bundle(*[ODD] * 50), "type": 7}, lenient=True)
    assert [issue.severity for issue in issues] == ["error", *["warning"] * 5]
    assert issues[0].expression == ("Bundle.type",)


def test_megabytes_of_faults_take_little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    patient = {"resourceType": "Patient", "name": [{"x": 1, "given": [1, 2]}] * 100_000}
    start = time.process_time()
    assert len(check_structure(patient)) == 1000
    assert time.process_time() - start < 5


def test_of_a_very_wide_object_only_names_that_r4_knows_are_kept() -> None:
    """What is cut away is not said to be missing, and costs nothing more."""
    unknown = {f"x{number}": 1 for number in range(3000)}
    observation = {"resourceType": "Observation", **unknown, "status": "final"}
    found = check_structure({**observation, "code": {"text": "a"}, "_status": {"id": "s"}})
    told = [f"Observation.x{number}" for number in range(999)]
    assert [issue.expression[0] for issue in found][:-1] == told
    assert [issue.code for issue in found][-1] == "too-costly"
    assert "Observation.code" in [i.expression[0] for i in check_structure(observation)]


def test_a_fault_behind_many_unknown_elements_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_MOST_PROPERTIES", 20)
    unknown = {f"x{number}": 1 for number in range(50)}
    odd = {"resourceType": "Observation", **unknown, "status": "M", "code": {"text": "c"}}
    listed = [f"Observation.x{number}" for number in range(19)]
    assert sorted(places(odd)) == sorted([*listed, "Observation.status", "Observation"])
