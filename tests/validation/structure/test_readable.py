"""One odd resource is left out of the data and told; it refuses nothing else."""

import copy
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepath.formats import json as json_codec
from carepath.issues import Issue
from carepath.validation import Readable, check_structure, readable, record_of
from carepath.validation.structure.data_units import data_in

Json = dict[str, Any]
CASES: list[Json] = json_codec.decode(
    (Path(__file__).parents[1] / "odd_resources.json").read_bytes()
)
PATIENT: Json = {"resourceType": "Patient", "id": "p", "gender": "female"}
FINE: Json = {
    "resourceType": "Condition", "id": "fine", "subject": {"reference": "Patient/p"}
}  # fmt: skip
BROKEN: Json = {**FINE, "id": "hay", "code": "J30"}


def bundle(*resources: Any, **elements: Any) -> Json:
    entry = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entry, **elements}


def parameters(*parts: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(parts)}


def data(resource: Any) -> Json:
    return {"name": "data", "resource": resource}


def told(found: Readable) -> list[tuple[str, str]]:
    return [(one.name, one.reason) for one in found.left_out]


def refused(found: Readable) -> list[tuple[str, ...]]:
    return [issue.expression for issue in found.refusals]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_what_is_unsafe_to_read_is_left_out_and_told(case: Json) -> None:
    odd = case["resource"]
    found = readable(bundle(PATIENT, FINE, odd))
    (one,) = found.left_out
    assert one.issue == Issue(
        "warning",
        case["code"],
        case["told"],
        tuple(f"Bundle.entry[2].resource.{element}" for element in case["elements"]),
    )
    assert one.resource is odd
    assert found.issues == (one.issue,)
    assert found.refusals == ()
    assert found.content == {
        **bundle(PATIENT, FINE),
        "entry": [*bundle(PATIENT, FINE)["entry"], {}],
    }


def test_what_is_all_right_is_handed_on_as_it_is() -> None:
    whole = bundle(PATIENT, FINE)
    found = readable(whole)
    assert found == Readable(whole)
    assert found.content is whole


def test_what_is_merely_odd_stays() -> None:
    odd = {**FINE, "colour": "red"}
    whole = bundle(PATIENT, odd)
    found = readable(whole)
    assert found.content is whole
    assert [issue.expression for issue in found.issues] == [("Bundle.entry[1].resource.colour",)]
    assert found.left_out == ()


def test_what_was_passed_in_is_not_changed() -> None:
    whole = bundle(PATIENT, FINE, BROKEN, total="3")
    before = copy.deepcopy(whole)
    found = readable(whole)
    assert whole == before
    assert found.content["entry"][0]["resource"] is whole["entry"][0]["resource"]
    assert "total" not in found.content


def test_several_faults_are_one_issue() -> None:
    odd = {**BROKEN, "subject": 1, "onsetDateTime": "2020-02-30", "note": 4, "stage": 5}
    (one,) = readable(bundle(PATIENT, FINE, odd)).left_out
    assert one.issue.diagnostics.startswith("`Condition/hay` was not used: `")
    assert one.issue.diagnostics.endswith("; and 2 more.")
    assert set(one.expression) == {
        f"Bundle.entry[2].resource.{name}" for name in ("code", "subject", "onset", "note", "stage")
    }


def test_of_a_flood_of_faults_in_one_resource_some_are_named() -> None:
    odd = {**FINE, "note": [{"text": n} for n in range(100)]}
    (one,) = readable(bundle(PATIENT, odd)).left_out
    assert one.reason.endswith("; and more")
    assert one.expression == tuple(f"Bundle.entry[1].resource.note[{n}].text" for n in range(20))


@pytest.mark.parametrize(
    ("holder", "place"),
    [
        (bundle(PATIENT, bundle(BROKEN)), "Bundle.entry[1].resource.entry[0].resource"),
        (parameters(data(bundle(PATIENT, BROKEN))),
         "Parameters.parameter[0].resource.entry[1].resource"),
        (parameters({"name": "subject", "valueString": "x"}, data(PATIENT), data(BROKEN)),
         "Parameters.parameter[2].resource"),
        (parameters(data(PATIENT), {"name": "prefetchData", "part": [
            {"name": "key", "valueString": "x"}, data(bundle(BROKEN))]}),
         "Parameters.parameter[1].part[1].resource.entry[0].resource"),
        (parameters(data(PATIENT), {"name": "prefetchData", "part": [
            {"name": "key", "valueString": "x"}, data(BROKEN)]}),
         "Parameters.parameter[1].part[1].resource"),
    ],
    ids=["a Bundle in a Bundle", "a Bundle in Parameters", "a resource in Parameters",
         "a prefetched Bundle", "a prefetched resource"],
)  # fmt: skip
def test_wherever_the_data_stand(holder: Json, place: str) -> None:
    found = readable(holder)
    assert [(one.place, one.expression) for one in found.left_out] == [(place, (f"{place}.code",))]
    assert found.refusals == ()
    clean = json_codec.encode(found.content)
    assert b"hay" not in clean
    assert PATIENT in [r for d in data_in(found.content) for r in (d, *inside(d))]
    assert readable(found.content).left_out == ()


def inside(resource: Json) -> list[Json]:
    return [entry["resource"] for entry in resource.get("entry", ()) if "resource" in entry]


def test_data_come_in_the_order_of_the_parameters() -> None:
    prefetched = {"name": "prefetchData", "part": [data(FINE)]}
    assert data_in(parameters(prefetched, {"name": "subject"}, data(PATIENT))) == [PATIENT, FINE]
    assert data_in(PATIENT) == [PATIENT]
    assert data_in(None) == []


@pytest.mark.parametrize(
    ("content", "elements"),
    [
        ({**PATIENT, "gender": 7}, ["Patient.gender"]),
        (bundle({**PATIENT, "gender": 7}), ["Bundle.entry[0].resource.gender"]),
        (bundle({**PATIENT, "gender": 7}, FINE), ["Bundle.entry[0].resource.gender"]),
        (bundle({"resourceType": "Patiant"}, FINE), ["Bundle.entry[0].resource.resourceType"]),
        (bundle(BROKEN), ["Bundle.entry[0].resource.code"]),
        ({**bundle(PATIENT), "type": 7}, ["Bundle.type"]),
        ({**bundle(PATIENT), "entry": {"resource": PATIENT}}, ["Bundle.entry"]),
        ({**bundle(PATIENT), "entry": [{"resource": PATIENT}, "Q"]}, ["Bundle.entry[1]"]),
        (bundle(PATIENT, [FINE]), ["Bundle.entry[1].resource"]),
        ({**bundle(PATIENT), "entry": [{"resource": PATIENT}, {"request": 7}]},
         ["Bundle.entry[1].request"]),
        (parameters(data(PATIENT), {"name": "subject", "valueString": 7}),
         ["Parameters.parameter[1].value"]),
        (parameters(data(PATIENT), {"name": "other", "resource": BROKEN}),
         ["Parameters.parameter[1].resource.code"]),
        (parameters(data(bundle({**PATIENT, "gender": 7}))),
         ["Parameters.parameter[0].resource.entry[0].resource.gender"]),
    ],
    ids=["a bare Patient", "nothing but a broken Patient", "the only Patient",
         "what may be the only Patient", "nothing that can be read", "a wrong type",
         "entries that are no array", "an entry that is none", "a resource that is none",
         "an entry that may delete", "a wrong parameter", "a resource that is no data",
         "the only Patient in Parameters"],
)  # fmt: skip
def test_what_leaves_nothing_to_answer_with_is_refused(content: Json, elements: list[str]) -> None:
    found = readable(content)
    assert refused(found) == [(element,) for element in elements]
    assert {issue.severity for issue in found.refusals} == {"error"}
    assert [i for i in check_structure(content, lenient=True) if i.is_error] == [*found.refusals]


def test_the_only_patient_is_named() -> None:
    (issue,) = readable(bundle({**PATIENT, "gender": 7}, FINE)).refusals
    assert issue.diagnostics == "`Patient/p` cannot be read: `gender` is not a JSON string."


@pytest.mark.parametrize(
    ("odd", "remainder"),
    [
        ({"resourceType": "Patient", "id": "q", "gender": 7, "meta": {"versionId": "2"}},
         {"resourceType": "Patient", "id": "q", "meta": {"versionId": "2"}}),
        ({"resourceType": "Patient", "id": 7, "meta": {"lastUpdated": "yesterday"}},
         {"resourceType": "Patient"}),
    ],
)  # fmt: skip
def test_a_patient_who_cannot_be_read_keeps_a_place(odd: Json, remainder: Json) -> None:
    """Otherwise the other Patient would be the only one, and nobody's data theirs."""
    found = readable(bundle(PATIENT, odd))
    (one,) = found.left_out
    assert one.remainder == remainder
    assert found.content["entry"][1]["resource"] is one.remainder
    assert found.refusal_of(one.remainder) == one.refusal
    assert found.refusal_of(PATIENT) is None
    assert found.refusal_of(None) is None


ABOUT_P = {"subject": {"reference": "Patient/p"}}
INSIDE = {"medicationReference": {"reference": "#m"}}
GIVEN: Json = {"resourceType": "MedicationStatement", "id": "m", "status": "active", **ABOUT_P}
REMAINDERS: dict[str, tuple[Json, Json]] = {
    "a wrong type": ({**BROKEN, "recorder": {"reference": "Practitioner/d"}},
                     {**FINE, "id": "hay", "recorder": {"reference": "Practitioner/d"}}),
    "a choice": ({**FINE, "onsetDateTime": "2025-02-30", "_onsetDateTime": {"id": "o"}}, FINE),
    "inside of an element": ({**FINE, "note": [{"text": "x"}, {"text": 7}]}, FINE),
    "whose it is": ({**FINE, "subject": "Patient/p"},
                    {"resourceType": "Condition", "id": "fine"}),
    "what is missing": ({**GIVEN, "status": None, **INSIDE}, {}),
    "what is contained, and what leads there": (
        {**GIVEN, **INSIDE, "contained": [{"resourceType": "Medication", "id": "m", "code": 7}]},
        GIVEN),
    "its id and its version": ({**FINE, "id": 7, "meta": []},
                               {"resourceType": "Condition", **ABOUT_P}),
    "more than anybody names": ({**FINE, "note": [{"text": n} for n in range(20)]},
                                {"resourceType": "Condition", "id": "fine"}),
    "its type": ({"resourceType": "Observatory", "id": "o", "code": 7, **ABOUT_P},
                 {"resourceType": "Resource", "id": "o", **ABOUT_P}),
    "its type, and whose": ({"id": "o", "subject": {"reference": 7}},
                            {"resourceType": "Resource", "id": "o"}),
}  # fmt: skip


@pytest.mark.parametrize(("odd", "remainder"), REMAINDERS.values(), ids=REMAINDERS.keys())
def test_of_what_is_left_out_stays_what_can_be_read(odd: Json, remainder: Json) -> None:
    odd = {name: value for name, value in odd.items() if value is not None}
    remainder = remainder or odd
    found = readable(whole := bundle(PATIENT, odd, total="3"))
    (one,) = found.left_out
    assert one.remainder == remainder
    assert found.content == {**bundle(PATIENT), "entry": [{"resource": PATIENT}, {}]}
    assert found.whole == bundle(PATIENT, remainder)
    assert found.whole["entry"][0]["resource"] is whole["entry"][0]["resource"]
    assert found.refusal_of(remainder) is None


def test_an_entry_that_cannot_be_read_leaves_its_resource_whole() -> None:
    entry = {"fullUrl": 7, "resource": FINE}
    found = readable({**bundle(PATIENT), "entry": [{"resource": PATIENT}, entry]})
    assert [one.remainder for one in found.left_out] == [FINE]


def test_a_bundle_that_is_too_deep_may_hold_anything() -> None:
    deep = bundle(BROKEN)
    for _ in range(20):
        deep = bundle(deep)
    found = readable({**deep, "entry": [{"resource": PATIENT}, *deep["entry"]]})
    assert [one.remainder for one in found.left_out] == [{"resourceType": "Resource"}]


def test_a_record_knows_what_is_left_out_of_all_the_data() -> None:
    mute = {"resourceType": "Procedure", "id": "x", **ABOUT_P}
    first, second = (
        readable(bundle(PATIENT, BROKEN)),
        readable(parameters(data(bundle(mute, FINE)))),
    )
    record = record_of(first, second, Readable(None), Readable(bundle({**FINE, "id": "other"})))
    names = [record.reference_to(resource) for resource in record.unread()]
    assert names == ["Condition/hay", "Procedure/x"]
    assert [r["id"] for r in record.resources("Condition")] == ["fine", "other"]


def test_a_patient_who_is_left_out_is_known_by_name_only() -> None:
    record = record_of(readable(bundle(PATIENT, {**PATIENT, "id": "q", "gender": 7}, FINE)))
    assert record.subjects == ("Patient/p", "Patient/q")
    assert record.for_subject("Patient/q").subject == {"resourceType": "Patient", "id": "q"}
    assert record.for_subject("Patient/q").unread() == ()


@pytest.mark.parametrize(
    ("elements", "told_of"),
    [
        ({"fullUrl": 7}, "`Bundle.entry[1].fullUrl` is not a JSON string"),
        ({"request": {"method": "PUT", "url": 7}},
         "`Bundle.entry[1].request.url` is not a JSON string"),
        ({"search": {"score": "high"}}, "`Bundle.entry[1].search.score` is not a JSON number"),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_is_not_used(elements: Json, told_of: str) -> None:
    whole = bundle(PATIENT, FINE, {**FINE, "id": "other"})
    whole["entry"][1] |= elements
    found = readable(whole)
    assert told(found) == [("Condition/fine", told_of)]
    assert [r["id"] for r in inside(found.content)] == ["p", "other"]


@pytest.mark.parametrize(
    ("elements", "expression", "sentence"),
    [
        ({"total": "3"}, "Bundle.total",
         "`Bundle.total` is not a JSON number without fraction and was not used."),
        ({"timestamp": "today"}, "Bundle.timestamp",
         "`Bundle.timestamp` is not a valid instant and was not used."),
        ({"link": [{"relation": 7, "url": "urn:x"}]}, "Bundle.link[0].relation",
         "`Bundle.link[0].relation` is not a JSON string and was not used."),
    ],
)  # fmt: skip
def test_what_is_broken_around_the_entries_is_not_used(
    elements: Json, expression: str, sentence: str
) -> None:
    found = readable(bundle(PATIENT, **elements))
    assert found == Readable(bundle(PATIENT), remarks=found.remarks)
    assert [(i.severity, i.diagnostics, i.expression) for i in found.remarks] == [
        ("warning", sentence, (expression,))
    ]


def test_what_a_response_of_an_entry_tells_is_not_needed() -> None:
    whole = bundle(PATIENT)
    whole["entry"].append({"response": {"status": 200}})
    found = readable(whole)
    assert found.content["entry"] == [{"resource": PATIENT}, {}]
    assert [i.expression for i in found.remarks] == [("Bundle.entry[1].response.status",)]


def test_what_is_contained_may_lack_what_a_resource_of_its_own_needs() -> None:
    inner = {"resourceType": "Observation", "id": "o", "code": {"text": "x"}}
    found = readable(bundle(PATIENT, {**FINE, "contained": [inner]}))
    assert found.left_out == ()
    assert [i.expression for i in found.remarks] == [
        ("Bundle.entry[1].resource.contained[0].status",)
    ]


@pytest.mark.parametrize("odd", [None, [], "x", {"id": "\ud800", "resourceType": "Patient"}])
def test_what_is_no_resource_is_refused(odd: Any) -> None:
    (issue,) = readable(odd).refusals
    assert (issue.severity, issue.code) == ("error", "structure")


def test_no_fault_hides_behind_many() -> None:
    """The list of issues has an end, what is left out has none."""
    odd = [{**BROKEN, "id": f"c{n}"} for n in range(1500)]
    found = readable(bundle(PATIENT, *odd, FINE))
    assert len(found.left_out) == 1500
    assert len(found.issues) == 1000
    assert inside(found.content) == [PATIENT, FINE]


def test_thousands_of_faults_take_little_time() -> None:
    odd = {**BROKEN, "note": [{"text": 1, "time": "x"}] * 100, "onsetDateTime": 1}
    whole = bundle(PATIENT, *[odd] * 2000)
    start = time.process_time()
    assert len(readable(whole).left_out) == 2000
    assert time.process_time() - start < 10


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(("Patient", "x", "2020-02-30")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("id", "code", "subject", "fullUrl", "resource", "request", "entry")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
RESOURCES = st.sampled_from([PATIENT, FINE, BROKEN, {"resourceType": "Foo"}]) | st.builds(
    lambda kind, rest: {**rest, "resourceType": kind},
    st.sampled_from(("Patient", "Condition", "Bundle", "Observation", 7)),
    st.dictionaries(st.sampled_from(("id", "status", "entry", "code", "meta")), ANYTHING),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RESOURCES | ANYTHING, max_size=5), st.booleans())
def test_what_is_not_refused_can_be_read(resources: list[Any], is_wrapped: bool) -> None:
    whole = bundle(*resources)
    found = readable(parameters(data(whole)) if is_wrapped else whole)
    if not found.refusals:
        again = readable(found.content)
        assert (again.left_out, again.refusals) == ((), ())
        assert again.content is found.content
