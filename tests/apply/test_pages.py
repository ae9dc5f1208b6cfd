"""The page of one application: what stands where, how it is set, and what an earlier plan adds."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from small import NOW, OWN, PATIENT, activity, applied, fact, fhirpath, library, plan, when

from carepath.apply import ApplyRequest, apply_plan
from carepath.apply.page.strip import strip
from carepath.apply.request import EXPLAIN
from carepath.command.plan_text import care_plan_text
from carepath.errors import InvalidParameter, InvalidResource, InvalidTemplate
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.validation import validate

Json = dict[str, Any]
BARE = {"resourceType": "CarePlan", "status": "draft", "intent": "plan"}
SCAN = {"definitionCanonical": "http://x/ActivityDefinition/scan"}


def labelled(name: str, text: str, label: str, **line: Any) -> Json:
    """Return a fact with a label, and its part in the line about the patient."""
    made = fact(name, text)
    extensions: list[Json] = [{"url": f"{OWN}/fact-label", "valueString": label}]
    if line:
        parts = [{"url": key, **value} for key, value in line.items()]
        extensions.append({"url": f"{OWN}/patient-line", "extension": parts})
    made["valueExpression"]["extension"] = extensions
    return made


def lines(result: Any) -> list[str]:
    return [line for line in care_plan_text(result.care_plan()).splitlines() if line.strip()]


def test_urgent_before_must_before_could_and_no_more_than_seven() -> None:
    def step(id_: str, **more: Any) -> Json:
        return {"id": id_, "title": id_.title(), **more}

    actions = [
        step("later", requiredBehavior="could"),
        step("plain"),
        step("bound", requiredBehavior="must"),
        step("soon", priority="urgent", requiredBehavior="could"),
        step("now", priority="stat"),
        *(step(f"more-{n}") for n in range(4)),
    ]
    sheet = applied([plan(*actions)]).sheet
    titles = [item.title for item in (*sheet.steps, *sheet.further)]
    assert titles[:4] == ["Now", "Soon", "Bound", "Plain"]
    assert titles[-1] == "Later"
    assert len(sheet.steps) == 7


def test_each_thing_has_its_place() -> None:
    advice = {
        "url": "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-directionOfRecommendation",
        "valueCode": "against",
    }
    alert = activity(
        "warn",
        kind="CommunicationRequest",
        dynamicValue=[{"path": "category.coding.code", "expression": fhirpath("'alert'")}],
    )
    leaflet = activity(
        "read",
        kind="CommunicationRequest",
        participant=[{"type": "patient"}],
        dynamicValue=[{"path": "payload[0].contentString", "expression": fhirpath("'Rest well.'")}],
    )
    period = "requestedPeriod[0].start"
    visit = activity(
        "visit",
        kind="Appointment",
        dynamicValue=[{"path": period, "expression": fhirpath("@2026-06-01")}],
    )
    offered = [
        {"id": "knife", "title": "Operate"},
        {"id": "rays", "title": "Irradiate", "condition": when("%size > 5")},
    ]
    actions = [
        {"id": "step", "title": "Scan it", **SCAN},
        {"id": "against", "title": "Wait", "extension": [advice]},
        {"id": "alert", "title": "Beware", "definitionCanonical": alert["url"]},
        {"id": "read", "title": "Leaflet", "definitionCanonical": leaflet["url"]},
        {"id": "group", "title": "Visit", "action": [
            {"id": "visit", "title": "Come back", "definitionCanonical": visit["url"]},
            {"id": "look", "title": "Look at it"},
        ]},
        {"id": "choose", "title": "Either", "selectionBehavior": "exactly-one", "action": offered},
    ]  # fmt: skip
    held = library(labelled("size", "{}", "size of the lump"))
    definition = plan(*actions, library=[held["url"]])
    sheet = applied([definition, held, activity(), alert, leaflet, visit]).sheet
    assert [item.title for item in sheet.steps] == ["Scan it"]
    assert [item.title for item in sheet.against] == ["Wait"]
    assert [item.title for item in sheet.alerts] == ["Beware"]
    assert [(one.title, one.texts) for one in sheet.leaflets] == [("Leaflet", ("Rest well.",))]
    (dated,) = sheet.visits
    assert (dated.start, dated.interval) == ("2026-06-01", "Visit")
    assert [item.title for item in dated.items] == ["Come back", "Look at it"]
    (choice,) = sheet.choices
    assert [(o.title, o.waits_for) for o in choice.options] == [
        ("Operate", ()),
        ("Irradiate", ("size of the lump",)),
    ]
    assert [(q.label, q.opens) for q in sheet.questions] == [("size of the lump", ("Irradiate",))]


def test_an_option_that_stands_alone_is_a_step() -> None:
    only = {"id": "knife", "title": "Operate"}
    never = {"id": "rays", "title": "Irradiate", "condition": when("false")}
    group = {"id": "g", "title": "Either", "selectionBehavior": "any", "action": [only, never]}
    sheet = applied([plan(group)]).sheet
    assert (sheet.choices, [item.title for item in sheet.steps]) == ((), ["Operate"])


def test_the_line_about_the_patient() -> None:
    def at(n: int, form: str, **more: Any) -> Json:
        return {"position": {"valuePositiveInt": n}, "form": {"valueCode": form}, **more}

    told_if = {"missing": {"valueBoolean": True}, "when": {"valueString": "cut"}}
    held = library(
        labelled("second", "6", "size", **at(2, "value", unit={"valueString": "cm"})),
        labelled("first", "'high'", "grade", **at(1, "labelled")),
        labelled("cut", "true", "operated", **at(3, "labelled")),
        labelled("edge", "{}", "margin", **at(4, "labelled", **told_if)),
        labelled("other", "{}", "other thing", **at(5, "labelled")),
        labelled("back", "false", "come back", **at(6, "labelled")),
        labelled("broken", "1 / 'a'", "fault", **at(7, "labelled", missing=told_if["missing"])),
    )
    result = applied([plan({"id": "a", "title": "A"}, library=[held["url"]]), held])
    assert "Patient: grade high; 6 cm; operated yes. Not recorded: margin, fault." in lines(result)


def test_what_is_on_record_and_not_understood_is_told_as_that() -> None:
    found = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "grade"},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-02-03",
        "valueString": "G3",
    }
    line = {"position": {"valuePositiveInt": 1}, "form": {"valueCode": "labelled"}}
    held = library(
        fact("grades", "%observations.where(code.text = 'grade')", auxiliary=True),
        labelled(
            "grade",
            "%grades.value.ofType(Quantity).value",
            "grade",
            missing={"valueBoolean": True},
            seen={"valueString": "grades"},
            **line,
        ),
    )
    definition = plan({"id": "a", "title": "A"}, library=[held["url"]])
    result = applied([definition, held], found)
    assert [(told.label, told.date) for told in result.sheet.unread] == [("grade", "2026-02-03")]
    assert result.sheet.not_recorded == ()
    assert "Patient: On record, but not understood: grade (2026-02-03)." in lines(result)
    assert applied([definition, held]).sheet.not_recorded == ("grade",)


def test_a_recorded_no_is_told_and_one_that_is_only_concluded_is_not() -> None:
    def no(id_: str) -> Json:
        return {
            "resourceType": "Observation",
            "id": id_,
            "status": "final",
            "code": {"text": id_},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": "2026-02-03",
            "valueBoolean": False,
        }

    def part(n: int) -> Json:
        return {"position": {"valuePositiveInt": n}, "form": {"valueCode": "labelled"}}

    held = library(
        labelled("removable", "%observations.where(code.text = 'r').value", "removable", **part(1)),
        labelled("back", "false", "come back", **part(2)),
        labelled("m", "0", "M", **part(3)),
    )
    action = {"id": "a", "title": "A", "condition": when("%removable.not() and %back.not()")}
    others = [{"id": f"n{n}", "title": f"N{n}"} for n in range(3)]
    result = applied([plan(action, *others, library=[held["url"]]), held], no("r"))
    assert [(t.label, t.value) for t in result.sheet.patient] == [("removable", "no"), ("M", "0")]
    assert [(r.label, r.value) for r in result.sheet.steps[0].reasons] == [("removable", "no")]


def test_what_was_decided_comes_first_and_of_equals_what_few_need() -> None:
    decided = {"decision": {"valueBoolean": True}}
    line = {"position": {"valuePositiveInt": 1}, "form": {"valueCode": "labelled"}, **decided}
    plain = {**line, "decision": {"valueBoolean": False}}
    held = library(
        labelled("team", "'cut'", "decision", **line), labelled("deep", "true", "deep", **plain)
    )
    must, could = {"requiredBehavior": "must"}, {"requiredBehavior": "could"}
    actions = [
        {"id": "all", "title": "For all", **must},
        {"id": "few", "title": "For few", "condition": when("%deep"), **must},
        {"id": "cut", "title": "Cut", "condition": when("%team = 'cut'"), **could},
    ]
    result = applied([plan(*actions, library=[held["url"]]), held])
    assert [(i.title, i.is_decided) for i in result.sheet.steps] == [
        ("Cut", True),
        ("For few", False),
        ("For all", False),
    ]
    assert "1. Cut (decided) Because: decision cut." in lines(result)


def test_the_printed_page_says_who_and_when_and_by_which_content() -> None:
    patient = {
        **PATIENT,
        "name": [{"given": ["Ada"], "family": "Long"}],
        "identifier": [{"value": "17"}, {"value": "3", "use": "old"}],
    }
    document = applied([plan({"id": "a"})], patient).page()
    head = "<b>Ada Long</b>, born 1980-05-17, 17. 2026-03-31. http://x/PlanDefinition/plan|1"
    assert head in document
    assert "Ada" not in applied([plan({"id": "a"})], patient).care_plan()["text"]["div"]


@pytest.mark.parametrize(
    "odd", [None, "Ada", [None], [{"given": "Ada"}], [{"given": [None, 1]}], [{"text": 3}], {}]
)
def test_a_patient_of_any_shape_has_a_page(odd: Any) -> None:
    patient = {**PATIENT, "name": odd, "identifier": odd, "birthDate": odd}
    assert applied([plan({"id": "a", "title": "A"})], patient).page()


def test_patients_read_of_options_apart_and_not_of_drugs_between_which_others_choose() -> None:
    def said(id_: str, text: str, **more: Any) -> Json:
        return activity(
            id_, extension=[{"url": f"{OWN}/patient-text", "valueString": text}], **more
        )

    drug = {"kind": "MedicationRequest", "productCodeableConcept": {"text": "x"}}
    made = [
        said("sure", "You get a scan."),
        said("may", "You may rest."),
        said("cut", "You may have an operation."),
        said("pill", "You may take a pill.", **drug),
    ]
    named = [{"id": d["id"], "title": d["id"], "definitionCanonical": d["url"]} for d in made]
    named[1]["requiredBehavior"] = "could"
    choice = {"id": "c", "title": "C", "selectionBehavior": "exactly-one", "action": named[2:]}
    result = applied([plan(*named[:2], choice), *made], narrative="patient")
    told = [line for line in lines(result) if line.startswith(("- ", "What"))]
    assert told == [
        "What may happen next",
        "- You get a scan.",
        "What your team may discuss with you",
        "- You may rest.",
        "- You may have an operation.",
    ]


def test_the_present_phase_is_the_first_that_is_not_past() -> None:
    def phase(title: str, past: str | None) -> Json:
        parts: list[Json] = [{"url": "title", "valueString": title}]
        if past is not None:
            parts.append({"url": "past", "valueExpression": fhirpath(past)})
        return {"url": f"{OWN}/care-phase", "extension": parts}

    found = [
        phase("See", "true"),
        phase("Look", "{}"),
        phase("Treat", "true"),
        phase("After", None),
    ]
    result = applied([plan({"id": "a", "title": "A"}, extension=found)])
    assert [(s.title, s.state) for s in result.sheet.stages] == [
        ("See", "past"),
        ("Look", "present"),
        ("Treat", "future"),
        ("After", "future"),
    ]
    assert "See > [Look] > Treat > After" in lines(result)
    drawn = strip(result.sheet.stages)
    assert [box.state for box in drawn.boxes] == ["past", "present", "future", "future"]
    assert [box.x for box in drawn.boxes] == sorted({box.x for box in drawn.boxes})


def test_reasons_single_out_and_common_facts_are_left_out() -> None:
    held = library(
        labelled("sure", "true", "certain"), labelled("deep", "true", "deep to the skin")
    )
    actions = [{"id": f"a{n}", "title": f"A{n}", "condition": when("%sure")} for n in range(6)]
    actions.append({"id": "d", "title": "D", "condition": when("%sure and %deep")})
    sheet = applied([plan(*actions, library=[held["url"]]), held]).sheet
    assert {item.title: [r.label for r in item.reasons] for item in sheet.steps} == {
        **{f"A{n}": [] for n in range(6)},
        "D": ["deep to the skin"],
    }


def test_sources_are_named_and_those_that_nobody_reviewed_are_marked() -> None:
    unreviewed = {"url": f"{OWN}/unreviewed", "valueBoolean": True}
    artifacts = [
        {"type": "derived-from", "label": "S0"},
        {"type": "derived-from", "label": "S1", "extension": [unreviewed]},
    ]
    cited = [{"type": "documentation", "label": label} for label in ("S1-1", "S1-2")]
    both = [*cited, {"type": "documentation", "label": "S0-9"}]
    actions = [
        {"id": "a", "title": "A", "documentation": cited},
        {"id": "b", "title": "B", "documentation": both},
    ]
    result = applied([plan(*actions, relatedArtifact=artifacts)])
    assert lines(result)[3:] == [
        "1. A [S1-1, S1-2 *]",
        "2. B [S1-1, S1-2, S0-9]",
        "* Only a source that nobody has reviewed says this.",
    ]


def test_actions_that_share_a_request_make_one() -> None:
    def leaflet(name: str) -> Json:
        said = {"path": "payload[0].contentString", "expression": fhirpath(f"'About {name}.'")}
        return activity(
            name,
            kind="CommunicationRequest",
            code={"text": name},
            participant=[{"type": "patient"}],
            dynamicValue=[said],
        )

    shared = [{"url": f"{OWN}/joined-as", "valueCode": "leaflets"}]
    names = ("rays", "drugs", "rays")
    actions = [
        {
            "id": f"a{n}",
            "title": f"About {name}",
            "definitionCanonical": f"http://x/ActivityDefinition/{name}",
            "extension": shared,
        }
        for n, name in enumerate(names)
    ]
    result = applied([plan(*actions), leaflet("rays"), leaflet("drugs")])
    group, request = result.care_plan()["contained"]
    assert request["id"] == "leaflets"
    assert [p["contentString"] for p in request["payload"]] == ["About rays.", "About drugs."]
    assert [c["text"] for c in request["reasonCode"]] == ["rays", "drugs"]
    assert [a["resource"] for a in group["action"]] == [{"reference": "#leaflets"}] * 3
    assert all("extension" not in action for action in group["action"])
    assert [one.texts for one in result.sheet.leaflets] == [("About rays.",), ("About drugs.",), ()]


def test_a_message_for_the_team_is_a_step() -> None:
    message = activity("tell", kind="CommunicationRequest")
    action = {"id": "t", "title": "Tell them", "definitionCanonical": message["url"]}
    sheet = applied([plan(action), message]).sheet
    assert [item.title for item in sheet.steps] == ["Tell them"]


def test_what_is_due_now_or_later_is_dated_and_what_is_over_is_a_step() -> None:
    def dated(id_: str, start: str, end: str) -> list[Json]:
        periods = [
            {"path": f"occurrencePeriod.{name}", "expression": fhirpath(f"@{day}")}
            for name, day in (("start", start), ("end", end))
        ]
        made = activity(id_, dynamicValue=periods)
        return [{"id": id_, "title": id_, "definitionCanonical": made["url"]}, made]

    later, now, over = (
        dated("later", "2026-09-01", "2026-10-01"),
        dated("now", "2026-03-01", "2026-04-30"),
        dated("over", "2026-01-01", "2026-02-01"),
    )
    sheet = applied([plan(later[0], now[0], over[0]), later[1], now[1], over[1]]).sheet
    assert [(v.start, [i.title for i in v.items]) for v in sheet.visits] == [
        ("2026-03-01", ["now"]),
        ("2026-09-01", ["later"]),
    ]
    assert [item.title for item in sheet.steps] == ["over"]


def test_a_task_is_due_in_the_period_that_it_is_restricted_to() -> None:
    paths = (("start", "2026-09-01"), ("end", "2026-10-01"))
    made = activity(
        "ask",
        kind="Task",
        dynamicValue=[
            {"path": f"restriction.period.{name}", "expression": fhirpath(f"@{day}")}
            for name, day in paths
        ],
    )
    action = {"id": "ask", "title": "Ask", "definitionCanonical": made["url"]}
    sheet = applied([plan(action), made]).sheet
    assert [(v.start, v.end, [i.title for i in v.items]) for v in sheet.visits] == [
        ("2026-09-01", "2026-10-01", ["Ask"])
    ]


def test_what_shares_a_request_with_questions_is_no_step() -> None:
    shared = [{"url": f"{OWN}/joined-as", "valueCode": "missing"}]
    task = activity("ask", kind="Task")
    base = {"definitionCanonical": task["url"], "extension": shared}
    actions = [
        {"id": "open", "title": "Open", "condition": when("%size > 5")},
        {"id": "q", "title": "Ask", "condition": when("%questions.exists()"), **base},
        {"id": "fit", "title": "Record fitness", **base},
    ]
    held = library(labelled("size", "{}", "size"))
    result = applied([plan(*actions, library=[held["url"]]), held, task])
    assert result.sheet.steps == ()
    assert [q.label for q in result.sheet.questions] == ["size"]
    assert len(result.care_plan()["contained"]) == 3  # group, one Task, issues


def test_reasons_are_what_is_there_the_rarest_first_with_the_day_of_findings() -> None:
    found = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "size"},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-02-03T10:00:00Z",
        "valueInteger": 7,
    }
    known = {
        "resourceType": "Condition",
        "id": "c",
        "code": {"text": "lump"},
        "subject": {"reference": "Patient/p"},
        "onsetDateTime": "2025-12-24",
    }
    held = library(
        labelled("size", "%observations.value", "size"),
        labelled("lump", "%conditions.code.text", "lump"),
        labelled("back", "false", "come back"),
        dataRequirement=[
            {"id": "observations", "type": "Observation"},
            {"id": "conditions", "type": "Condition"},
        ],
    )
    actions = [
        {"id": "a", "title": "A", "condition": when("%lump = 'lump'")},
        {"id": "b", "title": "B", "condition": when("%lump = 'lump' and %size > 5")},
        {"id": "c", "title": "C", "condition": when("%back.not()")},
        *({"id": f"n{n}", "title": f"N{n}"} for n in range(6)),
    ]
    sheet = applied([plan(*actions, library=[held["url"]]), held], found, known).sheet
    told = {i.title: [(r.label, r.value, r.date) for r in i.reasons] for i in sheet.items}
    assert told["A"] == [("lump", "lump", "")]
    assert told["B"] == [("size", "7", "2026-02-03"), ("lump", "lump", "")]
    assert told["C"] == []


def test_what_is_not_expected_yet_is_not_missed() -> None:
    def missed(when_: str) -> Json:
        return labelled(
            "edge",
            "{}",
            "margin",
            position={"valuePositiveInt": 1},
            form={"valueCode": "value"},
            missing={"valueBoolean": True},
            when={"valueString": when_},
        )

    for cut, expected in (("true", ("margin",)), ("false", ()), ("{}", ()), ("1 / 'a'", ())):
        held = library(missed("cut"), labelled("cut", cut, "operated"))
        result = applied([plan({"id": "a", "title": "A"}, library=[held["url"]]), held])
        assert result.sheet.not_recorded == expected


def test_nobody_is_told_what_is_missing_of_who_is_not_concerned() -> None:
    part = {"position": {"valuePositiveInt": 1}, "form": {"valueCode": "value"}}
    held = library(labelled("edge", "{}", "margin", missing={"valueBoolean": True}, **part))
    phase = {"url": f"{OWN}/care-phase", "extension": [{"url": "title", "valueString": "See"}]}
    never = {"id": "a", "title": "A", "condition": when("false")}
    definition = plan(never, library=[held["url"]], extension=[phase])
    sheet = applied([definition, held]).sheet
    assert (sheet.not_recorded, sheet.stages) == ((), ())
    told = "No step is proposed now. Nothing on record concerns this pathway."
    assert told in lines(applied([definition, held]))


def test_a_step_that_failed_is_told_with_the_fault() -> None:
    result = applied([plan({"id": "a", "title": "Odd", "condition": when("1 / 'a'")})])
    (failure,) = result.sheet.failures
    assert failure.title == "Odd"
    assert failure.text.startswith("Cannot be decided: ")
    assert any(line.startswith("- Odd: Cannot be decided") for line in lines(result))


def test_a_conflict_at_a_group_or_a_leaflet_is_a_footnote_once() -> None:
    def note(text: str) -> list[Json]:
        return [{"url": f"{OWN}/conflict-note", "valueMarkdown": text}]

    inner = plan(
        {"id": "i", "title": "I"}, {"id": "j", "title": "J"},
        id="inner", url="http://x/PlanDefinition/inner",
    )  # fmt: skip
    leaflet = activity("l", kind="CommunicationRequest", participant=[{"type": "patient"}])
    actions = [
        {"id": "g", "extension": note("X and Y."), "definitionCanonical": inner["url"]},
        {"id": "l", "extension": note("Y or Z."), "definitionCanonical": leaflet["url"]},
    ]
    sheet = applied([plan(*actions), inner, leaflet]).sheet
    assert sheet.footnotes == ("X and Y.", "Y or Z.")
    assert [item.notes for item in sheet.steps] == [(1,), (1,)]
    assert [leaflet.notes for leaflet in sheet.leaflets] == [(2,)]


def test_what_was_not_used_is_told_at_most_five_times() -> None:
    patient = {"reference": "Patient/someone-else"}
    others = [
        {"resourceType": "Observation", "id": f"o{n}", "status": "final", "code": {"text": "x"},
         "subject": patient, "valueInteger": n}
        for n in range(7)
    ]  # fmt: skip
    held = library(fact("all", "%observations.count()"))
    action = {"id": "a", "title": "A", "condition": when("%all = 0")}
    result = applied([plan(action, library=[held["url"]]), held], *others)
    told = [line for line in lines(result) if "was not used" in line]
    assert len(told) == min(5, len(result.sheet.not_used))
    if len(result.sheet.not_used) > 5:
        assert any("more, listed in the issues" in line for line in lines(result))


def test_a_joined_request_asks_for_all_and_gives_each_reason_once() -> None:
    def task(name: str) -> Json:
        said = {"path": "description", "expression": fhirpath(f"'Ask for {name}.'")}
        return activity(name, kind="Task", dynamicValue=[said])

    shared = [{"url": f"{OWN}/joined-as", "valueCode": "data"}]
    held = library(labelled("deep", "true", "deep"))
    tasks = [task("size"), task("grade")]
    actions = [
        {
            "id": t["id"],
            "title": t["id"],
            "definitionCanonical": t["url"],
            "extension": shared,
            "condition": when("%deep"),
        }
        for t in tasks
    ]
    result = applied([plan(*actions, library=[held["url"]]), held, *tasks])
    _, request = result.care_plan()["contained"]
    assert request["description"] == "Ask for size. Ask for grade."
    # A Task has one reason, a message a list of them.
    letters = [activity(t["id"], kind="CommunicationRequest") for t in tasks]
    result = applied([plan(*actions, library=[held["url"]]), held, *letters])
    _, request = result.care_plan()["contained"]
    assert request["reasonCode"] == [{"text": "deep is yes"}]


@pytest.mark.parametrize("texts", [{"description": "What."}, {"textEquivalent": "Do."}])
def test_a_lean_action_keeps_the_text_that_it_has(texts: Json) -> None:
    (made,) = applied([plan({"id": "a", "title": "A", **texts})]).care_plan()["contained"][0][
        "action"
    ]
    assert {k: v for k, v in made.items() if k in ("description", "textEquivalent")} == texts


def leveled() -> list[Json]:
    held = library(labelled("deep", "true", "deep to the skin"))
    cited = [{"type": "documentation", "label": "S0-1", "display": "The page, line 1"}]
    action = {
        "id": "a",
        "title": "A",
        "description": "What A is.",
        "textEquivalent": "Do A.",
        "code": [{"text": "a"}],
        "condition": when("%deep"),
        "documentation": cited,
        **SCAN,
    }
    return [plan(action, library=[held["url"]]), held, activity()]


def test_explain_none_brief_and_full() -> None:
    plans = {level: applied(leveled(), explain=level).care_plan() for level in EXPLAIN}
    group, request = plans["none"]["contained"]
    assert "text" not in plans["none"]
    assert "reasonCode" not in request
    lean = {
        "id": "a",
        "title": "A",
        "textEquivalent": "Do A.",
        "documentation": [{"type": "documentation", "label": "S0-1"}],
        "resource": {"reference": "#scan"},
    }
    assert group["action"] == [lean]
    group, request = plans["brief"]["contained"]
    assert request["reasonCode"] == [{"text": "deep to the skin is yes [S0-1]"}]
    assert group["action"] == [lean]
    assert "extension" not in plans["brief"]
    group, request = plans["full"]["contained"]
    assert request["reasonCode"] == [{"text": "deep to the skin is yes [S0-1]"}]
    assert group["action"][0]["description"] == "What A is."
    assert group["action"][0]["documentation"][0]["display"] == "The page, line 1"


@pytest.mark.parametrize(("code", "kept"), [("against", True), ("for", False)])
def test_a_lean_answer_still_says_what_is_advised_against(code: str, kept: bool) -> None:
    url = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-directionOfRecommendation"
    direction = {"url": url, "valueCodeableConcept": {"coding": [{"code": code}]}}
    action = {"id": "a", "title": "A", "extension": [direction]}
    (made,) = applied([plan(action)]).care_plan()["contained"][0]["action"]
    assert ("extension" in made) is kept


def test_full_holds_every_decision() -> None:
    result = applied(leveled(), explain="full")
    for answer in (result.care_plan(), result.bundle()["entry"][0]["resource"]):
        (extension,) = [e for e in answer["extension"] if e["url"] == f"{OWN}/decisions"]
        told = json.loads(base64.b64decode(extension["valueAttachment"]["data"]))
        assert told == result.decisions_document()
    found = validate(result.care_plan(), definitions=Knowledge.shipped(), now=NOW)
    assert [issue for issue in found if issue.is_error] == []


def test_the_decisions_say_the_same_whatever_the_answer_explains() -> None:
    documents = [
        applied(leveled(), explain=level).decisions_document()
        for level in ("none", "brief", "full")
    ]
    assert documents[0]["decisions"] == documents[1]["decisions"] == documents[2]["decisions"]


# Since an earlier plan.


def stepping(size: str, *, day: int = 0, previous: Json | None = None) -> Any:
    """Apply a plan whose steps depend on one fact, some days later, after an earlier plan."""
    held = library(labelled("size", size, "size"))
    urgent = {"path": "priority", "expression": fhirpath("iif(%size > 8, 'urgent', 'routine')")}
    date = {
        "path": "occurrencePeriod.start",
        "expression": fhirpath("iif(%size > 8, @2027-01-01, @2027-02-01)"),
    }
    actions = [
        {"id": "always", "title": "Talk"},
        {"id": "small", "title": "Watch", "condition": when("%size < 5")},
        {"id": "big", "title": "Operate", "condition": when("%size > 5")},
        {
            "id": "when",
            "title": "Scan",
            "condition": when("%size > 1"),
            "dynamicValue": [date, urgent],
            **SCAN,
        },
    ]
    request = ApplyRequest(
        plan(*actions, library=[held["url"]]),
        Record.of([PATIENT]),
        NOW + timedelta(days=day),
        previous_plan=previous,
    )
    return apply_plan(request, Knowledge.of([request.definition, held, activity()]))


def test_new_ended_changed_and_still_open_with_the_fact_behind() -> None:
    before = stepping("3").care_plan()
    result = stepping("9", day=30, previous=before)
    found = result.sheet.changes
    assert found is not None
    assert found.date == "2026-03-31"
    assert [(c.title, [(r.label, r.value) for r in c.reasons]) for c in found.new] == [
        ("Operate", [("size", "9")])
    ]
    assert [(c.title, [(r.label, r.value) for r in c.reasons]) for c in found.ended] == [
        ("Watch", [("size", "9")])
    ]
    assert [(c.title, c.details) for c in found.changed] == [("Scan", ("priority", "date"))]
    assert [c.title for c in found.still_open] == ["Talk"]
    assert lines(result)[2:7] == [
        "Since the plan of 2026-03-31",
        "- New: Operate Because: size 9.",
        "- Ended: Watch Because: size 9.",
        "- Changed (priority, date): Scan Because: size 9.",
        "- Still open: Talk",
    ]


def test_a_fact_that_is_lost_ends_a_step_and_is_named() -> None:
    before = stepping("9").care_plan()
    found = stepping("{}", previous=before).sheet.changes
    assert found is not None
    assert [(c.title, c.details) for c in found.ended] == [
        ("Operate", ("size",)),
        ("Scan", ("size",)),
    ]


def test_nothing_has_changed() -> None:
    before = stepping("9").care_plan()
    found = stepping("9", previous=before).sheet.changes
    assert found is not None
    assert (found.new, found.ended, found.changed) == ((), (), ())


@pytest.mark.parametrize(
    ("previous", "value"),
    [
        ({"resourceType": "Patient"}, "Patient"),
        ({**BARE, "subject": {"reference": "Patient/other"}}, "Patient/other"),
        ({**BARE, "subject": {"reference": "Patient/p"}}, "no RequestGroup"),
        ({}, None),
    ],
)
def test_what_is_no_earlier_plan_is_refused(previous: Json, value: str | None) -> None:
    with pytest.raises(InvalidParameter) as caught:
        stepping("9", previous=previous).care_plan()
    assert (caught.value.name, caught.value.value) == ("previousPlan", value)


@pytest.mark.parametrize(
    "odd",
    [
        {"subject": "p"},
        {"contained": "x"},
        {"contained": [{"resourceType": "RequestGroup", "action": [{"action": "x"}, 1]}]},
        {"contained": [{"resourceType": "RequestGroup", "id": "g", "action": [{"resource": []}]}]},
    ],
)
def test_an_earlier_plan_that_is_no_fhir_is_refused(odd: Json) -> None:
    before = {**stepping("9").care_plan(), **odd}
    with pytest.raises(InvalidResource) as caught:
        stepping("9", previous=before)
    assert all(issue.expression[0].startswith("CarePlan") for issue in caught.value.issues)


def test_a_question_that_was_answered_is_no_news() -> None:
    def asked(size: str, previous: Json | None = None) -> Any:
        held = library(labelled("size", size, "size"))
        actions = [
            {"id": "big", "title": "Operate", "condition": when("%size > 5")},
            {"id": "q", "title": "Ask", "condition": when("%questions.exists()")},
        ]
        found = [plan(*actions, library=[held["url"]]), held]
        return applied(found, previous_plan=previous)

    found = asked("9", asked("{}").care_plan()).sheet.changes
    assert found is not None
    assert [change.title for change in found.new] == ["Operate"]
    assert (found.ended, found.changed, found.still_open) == ((), (), ())


def test_the_same_plan_again_is_no_change_whatever_its_groups_hold() -> None:
    never = {"id": "n", "title": "Never", "condition": when("false")}
    actions = [
        {"id": "empty", "title": "Empty group", "action": [never]},
        {"id": "r", "title": "Rest", "textEquivalent": "Rest, and sleep.", **SCAN},
        {"id": "g", "title": "Both", "action": [{"id": "i", "title": "In"}], **SCAN},
    ]
    definition = plan(*actions)
    for explain in EXPLAIN:
        before = applied([definition, activity()], explain=explain).care_plan()
        found = applied([definition, activity()], previous_plan=before).sheet.changes
        assert found is not None
        assert (found.new, found.ended, found.changed) == ((), (), ())
        assert [change.title for change in found.still_open] == ["Rest", "Both", "In"]


# Templates.


def test_a_folder_of_templates_comes_first(tmp_path: Path) -> None:
    (tmp_path / "clinician.xhtml").write_text("<p>{{ sheet.title }} for us</p>", "utf-8")
    result = applied(
        [plan({"id": "a", "title": "A"}, title="Lump & more")], templates=str(tmp_path)
    )
    div = result.care_plan()["text"]["div"]
    assert div == '<div xmlns="http://www.w3.org/1999/xhtml"><p>Lump &amp; more for us</p></div>'
    assert (
        "Your care plan"
        in applied([plan({"id": "a"})], templates=str(tmp_path), narrative="patient").care_plan()[
            "text"
        ]["div"]
    )


def test_a_template_for_a_language(tmp_path: Path) -> None:
    (tmp_path / "clinician.de.xhtml").write_text("<p>{{ sheet.title }}: Vorschlag</p>", "utf-8")
    definition = plan({"id": "a"}, title="Lump")
    for code, expected in (("de", "Vorschlag"), ("de-AT", "Vorschlag"), ("fr", "Next steps")):
        language = {"coding": [{"system": "urn:ietf:bcp:47", "code": code}]}
        found = applied([definition], templates=str(tmp_path), user_language=language)
        assert expected in found.care_plan()["text"]["div"]


@pytest.mark.parametrize("code", ["../../etc/passwd", "de/../x", "%2e%2e", "{{ 1 }}", "d" * 5000])
def test_a_hostile_language_finds_no_other_file(code: str) -> None:
    language = {"coding": [{"code": code}]}
    found = applied([plan({"id": "a", "title": "A"})], user_language=language).care_plan()
    assert "Next steps" in found["text"]["div"]
    assert "language" not in found


@pytest.mark.parametrize(
    "text",
    [
        "{% if %}",
        "{{ sheet.nothing }}",
        "{% include 'no.xhtml' %}",
        "{{ 1 / 0 }}",
        "<p>not closed",
        "<script>alert(1)</script>",
        "<p>\udce4</p>",
    ],
)
def test_a_broken_template_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "clinician.xhtml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InvalidTemplate) as caught:
        applied([plan({"id": "a"})], templates=str(tmp_path)).care_plan()
    assert caught.value.template == "clinician.xhtml"
    assert str(caught.value).startswith("The template `clinician.xhtml` cannot be used: ")


def test_everything_is_escaped_and_the_pages_are_well_formed() -> None:
    nasty = '<script>alert("1")</script> & ]]>'
    note = {"url": f"{OWN}/conflict-note", "valueMarkdown": nasty}
    held = library(labelled("deep", f"'{nasty}'", nasty))
    action = {
        "id": "a",
        "title": nasty,
        "textEquivalent": nasty + "!",
        "condition": when("%deep.exists()"),
        "extension": [note],
    }
    disclaimer = {"url": f"{OWN}/disclaimer", "valueMarkdown": nasty}
    definition = plan(action, title=nasty, library=[held["url"]], extension=[disclaimer])
    for reader in ("clinician", "patient"):
        result = applied([definition, held], narrative=reader)
        div = etree.fromstring(result.care_plan()["text"]["div"])
        assert "script" not in {etree.QName(e).localname for e in div.iter()}
        document = result.page()
        assert "<script" not in document
        assert document.startswith("<!DOCTYPE html>")
        assert "@page" in document
    found = validate(result.care_plan(), definitions=Knowledge.shipped(), now=NOW)
    assert [issue for issue in found if issue.is_error] == []
