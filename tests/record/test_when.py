"""When things were: https://hl7.org/fhir/R4/datatypes.html#dateTime"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepath.record.when import (
    Span,
    at,
    interval_of,
    is_in_future,
    latest,
    occurred,
    span_of,
    time_of,
)

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def span(value: Any) -> Span:
    found = span_of(value)
    assert found is not None, value
    return found


def observation(when: Any, **more: Any) -> dict[str, Any]:
    dated = {} if when is None else {"effectiveDateTime": when}
    return {"resourceType": "Observation", "status": "final", **dated, **more}


def ids(resources: list[dict[str, Any]]) -> list[str]:
    return [resource["id"] for resource in resources]


@pytest.mark.parametrize(
    ("value", "earliest", "last"),
    [
        ("2026", "2025-12-31T10:00:00Z", "2027-01-01T11:59:59.999999Z"),
        ("2026-12", "2026-11-30T10:00:00Z", "2027-01-01T11:59:59.999999Z"),
        ("2026-02", "2026-01-31T10:00:00Z", "2026-03-01T11:59:59.999999Z"),
        ("2026-09-10", "2026-09-09T10:00:00Z", "2026-09-11T11:59:59.999999Z"),
        ("2026-09-10T08:00:00+02:00", "2026-09-10T06:00:00Z", "2026-09-10T06:00:00Z"),
        ("2026-09-10T23:30:00-05:00", "2026-09-11T04:30:00Z", "2026-09-11T04:30:00Z"),
        (
            "2026-09-10T08:00:00.1234567Z",
            "2026-09-10T08:00:00.123456Z",
            "2026-09-10T08:00:00.123456Z",
        ),
        ("2026-09-10T08:00Z", "2026-09-10T08:00:00Z", "2026-09-10T08:00:59.999999Z"),
        ("2026-09-10T08:00:00", "2026-09-09T18:00:00Z", "2026-09-10T20:00:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", "2016-12-31T23:59:59Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z", "0001-01-02T11:59:59.999999Z"),
        ("9999-12-31", "9999-12-30T10:00:00Z", "9999-12-31T23:59:59.999999Z"),
        (
            {"start": "2026-09-10", "end": "2026-09-12T08:00:00Z"},
            "2026-09-09T10:00:00Z",
            "2026-09-12T08:00:00Z",
        ),
        ({"start": "2026-09-10"}, "2026-09-09T10:00:00Z", "9999-12-31T23:59:59.999999Z"),
        ({"end": "2026-09"}, "0001-01-01T00:00:00Z", "2026-10-01T11:59:59.999999Z"),
        (
            {"start": "the tenth", "end": "2026-09-10"},
            "0001-01-01T00:00:00Z",
            "2026-09-11T11:59:59.999999Z",
        ),
        (
            {"event": ["2026-09-10T08:00:00Z", "2026-09-01T08:00:00Z"]},
            "2026-09-01T08:00:00Z",
            "2026-09-10T08:00:00Z",
        ),
        (
            {"repeat": {"boundsPeriod": {"start": "2026-09-10T08:00:00Z", "end": "2026-09-11"}}},
            "2026-09-10T08:00:00Z",
            "2026-09-12T11:59:59.999999Z",
        ),
    ],
)
def test_a_value_covers_what_it_can_mean(value: Any, earliest: str, last: str) -> None:
    assert interval_of(value) == (moment(earliest), moment(last))


@pytest.mark.parametrize(
    "value",
    [
        *("", "0000", "2026-13", "2026-00", "2026-02-30", "26-01-01", "2026-1-1", "2026-01-01 "),
        *("2026-01-01T24:00:00Z", "2026-01-01T10:60:00Z", "2026-01-01T10:00:00+15:00"),
        *("2026-01-01T10:00:00+02:70", "2026-01-01T10Z", "\u0662\u0660\u0662\u0666", "today"),
        *(None, 2026, True, ["2026"], {}, {"start": None}, {"start": 2026, "end": []}),
        {"start": "2026-09-10", "end": "2026-09-09"},
        {"start": "2026-13"},
        {"event": ["2026-09-10", "later"]},
        {"event": "2026-09-10"},
        {"repeat": {"boundsDuration": {"value": 3}}},
        {"repeat": "daily"},
        {"value": 65, "unit": "a"},
    ],
)
def test_what_names_no_time_there_is_gives_none(value: Any) -> None:
    assert span_of(value) is None
    assert interval_of(value) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "before", "after", "same"),
    [
        ("2026-09-10", "2026-09-11", True, False, False),
        ("2026-09-10", "2026-09-10", False, False, True),
        ("2026-09", "2026-09-10", None, None, None),
        ("2026-08", "2026-09-10", True, False, False),
        ("2026", "2026", None, None, True),
        ("2025", "2026", True, False, False),
        ("2026-09-10T23:30:00-05:00", "2026-09-11T01:00:00+02:00", False, True, False),
        ("2026-09-10T08:00:00Z", "2026-09-10T10:00:00+02:00", False, False, True),
        ("2026-09-10T08:00:00Z", "2026-09-10T08:00:00.001Z", True, False, False),
        # A day somewhere on earth against a moment: from 14 hours before to 12 hours after it.
        ("2026-09-10", "2026-09-10T12:00:00Z", None, None, None),
        ("2026-09-10", "2026-09-11T11:59:59Z", None, None, None),
        ("2026-09-10", "2026-09-11T12:00:00Z", True, False, False),
        ("2026-09-10", "2026-09-09T10:00:01Z", None, None, None),
        ("2026-09-10", "2026-09-09T09:59:59Z", False, True, False),
        ("2026-09-10T08:00:00", "2026-09-10T09:00:00", True, False, False),
        ("2026-09-10T08:00:00", "2026-09-10T09:00:00Z", None, None, None),
        ({"start": "2026-09-01", "end": "2026-09-10"}, "2026-09-11", True, False, False),
        ({"start": "2026-09-01", "end": "2026-09-10"}, "2026-09-05", None, None, None),
        ({"start": "2026-09-01"}, "2026-09-11", None, None, None),
        ({"start": "2026-09-12"}, "2026-09-11", False, True, False),
        ({"end": "2026-09-10"}, "2026-09-11", True, False, False),
    ],
)
def test_order_is_told_only_where_it_is_certain(
    ours: Any, theirs: Any, before: bool | None, after: bool | None, same: bool | None
) -> None:
    one, other = span(ours), span(theirs)
    assert (one.is_before(other), one.is_after(other), one.same_moment(other)) == (
        before,
        after,
        same,
    )
    assert (other.is_after(one), other.is_before(one), other.same_moment(one)) == (
        before,
        after,
        same,
    )


@pytest.mark.parametrize(
    ("resource", "period"),
    [
        (observation("2026-09-10"), {"start": "2026-09-10", "end": "2026-09-10"}),
        (
            observation("2026-09-10", issued="2026-09-12T08:00:00Z"),
            {"start": "2026-09-10", "end": "2026-09-10"},
        ),
        (
            observation(None, issued="2026-09-12T08:00:00Z"),
            {"start": "2026-09-12T08:00:00Z", "end": "2026-09-12T08:00:00Z"},
        ),
        (observation("2026-09-31", issued="2026-09-12T08:00:00Z"), None),
        (observation(None), None),
        (
            observation(None, effectivePeriod={"start": "2026-09", "end": "soon"}),
            {"start": "2026-09"},
        ),
        (
            observation(None, effectiveTiming={"event": ["2026-09-10", "2026-08"]}),
            {"start": "2026-08", "end": "2026-09-10"},
        ),
        (
            observation(None, effectiveTiming={"repeat": {"boundsPeriod": {"end": "2026"}}}),
            {"end": "2026"},
        ),
        # A text is read where it is a date as a whole.
        (
            {"resourceType": "Procedure", "performedString": "2019"},
            {"start": "2019", "end": "2019"},
        ),
        ({"resourceType": "Procedure", "performedString": "in 2019"}, None),
        (
            {"resourceType": "Specimen", "collection": {"collectedDateTime": "2026-09-01"}},
            {"start": "2026-09-01", "end": "2026-09-01"},
        ),
        (
            {"resourceType": "Specimen", "collection": [], "receivedTime": "2026-09-02"},
            {"start": "2026-09-02", "end": "2026-09-02"},
        ),
        (
            {"resourceType": "MedicationDispense", "whenPrepared": "2026-09-02"},
            {"start": "2026-09-02", "end": "2026-09-02"},
        ),
        (
            {"resourceType": "Condition", "recordedDate": "2026-09", "onsetDateTime": "2025"},
            {"start": "2025", "end": "2025"},
        ),
        ({"resourceType": "Condition", "onsetAge": {"value": 3}}, None),
        (
            {"resourceType": "ServiceRequest", "occurrenceDateTime": "2026-09-02"},
            {"start": "2026-09-02", "end": "2026-09-02"},
        ),
        ({"resourceType": "Patient", "birthDate": "1961-04-17"}, None),
        ({"resourceType": ["Observation"], "effectiveDateTime": "2026"}, None),
        ({}, None),
    ],
)
def test_each_type_is_dated_by_its_own_elements(resource: Any, period: Any) -> None:
    assert time_of(resource) == period
    assert occurred(resource) == span_of(period)


@pytest.mark.parametrize(
    ("when", "future"),
    [
        ("2062-01-01", True),
        ("2062", True),
        ("2026-12", True),
        ("2026-11-28", True),
        ("2026-11-27", False),
        ("2026-11", False),
        ("2026", False),
        ("2026-11-27T09:00:00Z", False),
        ("2026-11-27T09:00:01Z", True),
        ("2026-11-27T22:30:00+14:00", False),
        ("2026-11-26T23:30:00-12:00", True),
        ("2026-11-31", False),
        (None, False),
    ],
)
def test_the_future_begins_after_now_on_the_time_line(when: Any, future: bool) -> None:
    assert is_in_future(observation(when), NOW) is future


@pytest.mark.parametrize("hour", range(24))
def test_today_in_whatever_zone_is_not_the_future(hour: int) -> None:
    for offset in range(-12, 15):
        zone = timezone(timedelta(hours=offset))
        now = datetime(2026, 11, 27, hour, 30, tzinfo=zone)
        assert not is_in_future(observation(now.date().isoformat()), now)
        assert not is_in_future(observation(now.isoformat()), now)


@pytest.mark.parametrize(
    ("resource", "future"),
    [
        ({"resourceType": "Observation", "status": "registered"}, False),
        ({"resourceType": "Observation", "status": "corrected"}, True),
        ({"resourceType": "Observation", "status": ["final"]}, False),
        ({"resourceType": "Observation"}, False),
    ],
)
def test_only_what_says_that_it_has_happened_can_lie_in_the_future(
    resource: dict[str, Any], future: bool
) -> None:
    assert is_in_future({**resource, "effectiveDateTime": "2062"}, NOW) is future


@pytest.mark.parametrize(
    ("resource", "future"),
    [
        ({"resourceType": "Procedure", "status": "completed", "performedDateTime": "2062"}, True),
        ({"resourceType": "Specimen", "receivedTime": "2062"}, True),
        (
            {
                "resourceType": "Procedure",
                "status": "preparation",
                "performedPeriod": {"start": "2062"},
            },
            False,
        ),
        (
            {
                "resourceType": "Procedure",
                "status": "in-progress",
                "performedPeriod": {"start": "2026-11-26", "end": "2062"},
            },
            False,
        ),
        (
            {
                "resourceType": "MedicationStatement",
                "status": "active",
                "effectivePeriod": {"start": "2062-01"},
            },
            True,
        ),
        (
            {
                "resourceType": "MedicationStatement",
                "status": "intended",
                "effectivePeriod": {"start": "2062-01"},
            },
            False,
        ),
        (
            {
                "resourceType": "ServiceRequest",
                "status": "active",
                "authoredOn": "2026-11-20",
                "occurrenceDateTime": "2027-01-10",
            },
            False,
        ),
        (
            {
                "resourceType": "ServiceRequest",
                "status": "active",
                "occurrenceDateTime": "2027-01-10",
            },
            False,
        ),
        ({"resourceType": "ServiceRequest", "status": "active", "authoredOn": "2062"}, True),
        ({"resourceType": "Condition", "onsetDateTime": "2062"}, False),
        ({"resourceType": "Condition", "onsetDateTime": "2026-11-27"}, False),
        ({"resourceType": "Condition", "abatementDateTime": "2062"}, False),
        ({"resourceType": "Encounter", "status": "planned", "period": {"start": "2062"}}, False),
        ({"resourceType": "Encounter", "status": "finished", "period": {"start": "2062"}}, True),
        ({"resourceType": "ImagingStudy", "status": "available", "started": "2062"}, True),
        ({"resourceType": "Appointment", "status": "booked", "start": "2062"}, False),
    ],
)
def test_each_type_has_statuses_that_say_it_has_happened(
    resource: dict[str, Any], future: bool
) -> None:
    assert is_in_future(resource, NOW) is future


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param(
            [("a", "2026-09-10", {}), ("b", "2026-09-11", {}), ("c", "2026-09-09", {})],
            "b",
            id="the later day",
        ),
        pytest.param(
            [("b", "2026-09-11T01:00:00+02:00", {}), ("a", "2026-09-10T23:30:00-05:00", {})],
            "a",
            id="on the time line, not as text",
        ),
        pytest.param(
            [("a", "2026-09", {}), ("b", "2026-09-11", {}), ("c", "2026-08", {})],
            "ab",
            id="a month that may be before or after",
        ),
        pytest.param(
            [("a", None, {}), ("b", "2026-09-11", {}), ("c", "2026-99", {}), ("d", "2025", {})],
            "abc",
            id="without a date, or one that cannot be read",
        ),
        pytest.param(
            [("a", "2026-09-10", {}), ("b", "2026-09-10", {})], "ab", id="nothing decides"
        ),
        pytest.param(
            [
                ("a", "2026-09-10", {"issued": "2026-09-11T08:00:00Z"}),
                ("b", "2026-09-10", {"issued": "2026-09-20T08:00:00Z", "status": "corrected"}),
            ],
            "b",
            id="issued later",
        ),
        pytest.param(
            [
                ("a", "2026-09-10", {"issued": "2026-09-20T08:00:00Z"}),
                ("b", "2026-09-10", {"issued": "2026-09-11T08:00:00Z", "status": "corrected"}),
            ],
            "a",
            id="issued later, whatever the status",
        ),
        pytest.param(
            [("a", "2026-09-10", {"status": "amended"}), ("b", "2026-09-10", {})],
            "a",
            id="corrected",
        ),
        pytest.param(
            [("a", "2026-09-10", {"status": "preliminary"}), ("b", "2026-09-10", {})],
            "b",
            id="final after preliminary",
        ),
        pytest.param(
            [
                ("a", "2026-09-10", {"status": "unknown"}),
                ("b", "2026-09-10", {"status": "corrected"}),
                ("c", "2026-09-10", {}),
            ],
            "ab",
            id="a status that tells nothing stays",
        ),
        pytest.param(
            [("a", "2026-09-10", {"status": "corrected"}), ("b", "2026-09-12", {})],
            "b",
            id="a later measurement wins over a correction",
        ),
        pytest.param(
            [
                ("a", "2026-09-10", {"meta": {"versionId": "9"}}),
                ("a", "2026-09-10", {"meta": {"versionId": "10"}, "valueInteger": 1}),
                ("b", "2026-09-10", {"meta": {"versionId": "1"}}),
            ],
            "ab",
            id="the newer version of one resource only",
        ),
        pytest.param(
            [
                ("a", "2026-09-10", {"meta": {"lastUpdated": "2026-09-11T08:00:00+02:00"}}),
                ("a", "2026-09-10", {"meta": {"lastUpdated": "2026-09-11T07:00:00Z"}}),
            ],
            "a",
            id="the version updated later",
        ),
        pytest.param(
            [("a", "2026-09-10", {"meta": "new"}), ("a", "2026-09-10", {})],
            "aa",
            id="versions that cannot be told apart",
        ),
    ],
)
def test_the_latest_statement(given_: list[tuple[str, Any, dict[str, Any]]], kept: str) -> None:
    resources = [{**observation(when, id=name), **more} for name, when, more in given_]
    assert "".join(ids(latest(resources))) == kept
    assert "".join(sorted(ids(latest(resources[::-1])))) == kept


def test_the_newer_version_is_the_one_that_stays() -> None:
    old = observation("2026-09-10", id="a", meta={"versionId": "9"})
    new = observation("2026-09-10", id="a", meta={"versionId": "10"})
    assert latest([new, old]) == latest([old, new]) == [new]


def test_what_was_given_is_not_changed_and_may_be_any_iterable() -> None:
    resource = observation("2026-09-10", id="a")
    (found,) = latest(iter([resource]))
    assert found is resource


DAYS = st.dates().map(lambda day: day.isoformat())
MOMENTS = st.datetimes(
    timezones=st.integers(-12 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
).map(lambda at_: at_.isoformat(timespec="seconds"))
NEAR = st.sampled_from(
    [
        *("2026", "2026-09", "2026-09-10", "2026-09-11", "2026-09-10T12:00:00Z", "2025"),
        *("2026-09-11T11:00:00+14:00", "2026-09-11T13:00:00-05:00", "2026-09-10T08:00:00"),
    ]
)
TEXTS = DAYS | MOMENTS | NEAR
PERIODS = st.fixed_dictionaries({}, optional={"start": TEXTS, "end": TEXTS})
TIMES = TEXTS | PERIODS
ISSUED = st.sampled_from(["2026-09-12T08:00:00Z", "2026-09-13T08:00:00Z", "2026-09"])
STATUSES = st.sampled_from(["preliminary", "final", "corrected", "unknown"])
META = st.fixed_dictionaries({}, optional={"versionId": st.sampled_from("129x")})


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    more = draw(
        st.fixed_dictionaries(
            {"id": st.sampled_from("ab"), "status": STATUSES, "meta": META},
            optional={"issued": ISSUED, "effectiveDateTime": NEAR, "effectivePeriod": PERIODS},
        )
    )
    return {"resourceType": "Observation", **more}


@given(TIMES, TIMES)
def test_before_and_after_are_one_relation(ours: Any, theirs: Any) -> None:
    one, other = span_of(ours), span_of(theirs)
    if one is None or other is None:
        return
    assert one.is_before(other) == other.is_after(one)
    assert not (one.is_before(other) and one.is_after(other))
    assert one.same_moment(one) is True
    assert one.is_before(one) is not True
    earliest, last = one.interval
    assert earliest <= last
    if one.is_before(other):
        assert last < other.interval[0] or not (one.last.zoned or other.first.zoned)


@given(TIMES, TIMES, TIMES)
def test_the_order_in_time_goes_on(first: Any, second: Any, third: Any) -> None:
    one, two, three = span_of(first), span_of(second), span_of(third)
    if one and two and three and one.is_before(two) and two.is_before(three):
        assert one.is_before(three) is True


@given(MOMENTS)
def test_a_moment_is_the_same_as_text_and_as_a_value(text: str) -> None:
    assert span(text) == at(datetime.fromisoformat(text))


def marked(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each a mark of its own, so that results can be compared by it."""
    return [{**resource, "mark": place} for place, resource in enumerate(resources)]


def marks(resources: list[dict[str, Any]]) -> list[int]:
    return [resource["mark"] for resource in resources]


@given(st.lists(statements(), max_size=8), st.randoms(use_true_random=False))
def test_the_latest_do_not_depend_on_the_order(drawn: list[Any], random: Any) -> None:
    resources = marked(drawn)
    shuffled = random.sample(resources, len(resources))
    assert marks(latest(resources)) == sorted(marks(latest(shuffled)))
    assert bool(latest(resources)) == bool(resources)


@given(st.lists(statements(), max_size=8), statements())
def test_an_older_statement_changes_nothing(drawn: list[Any], more: dict[str, Any]) -> None:
    resources = marked(drawn)
    older = {**more, "mark": -1}
    time = occurred(older)
    if time and any(time.is_before(o) for r in resources if (o := occurred(r))):
        assert latest([*resources, older]) == latest(resources)


@given(st.lists(statements(), max_size=8))
def test_the_latest_of_the_latest_are_themselves(drawn: list[Any]) -> None:
    kept = latest(drawn)
    assert latest(kept) == kept
