"""`carepath facts`: every fact of a Library for one record, as text and as JSON.

The files in facts/ are what the command prints for a base of the records at NOW.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from carepath.apply.compile.names import AUXILIARY, FACT, LABEL, LEFT_OUT, VALUE_TEXT
from carepath.command.main import main

HERE = Path(__file__).parent
RECORDS = HERE.parent / "records"
NOW = "--now=2026-11-24T09:15:00+04:00"
OWN = "https://hospital.example/fhir/Library/own"

Resource = dict[str, Any]


def run(*arguments: str, data: str = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=data)


def bundle(*resources: Resource) -> str:
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def base(name: str) -> list[Resource]:
    text = (RECORDS / f"bases/{name}.json").read_text("utf-8")
    resources: list[Resource] = json.loads(text)["resources"]
    return resources


def patient(id_: str = "p1", **elements: Any) -> Resource:
    return {"resourceType": "Patient", "id": id_, **elements}


def observation(id_: str, code: str, **elements: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "https://hospital.example/codes", "code": code}]},
        "subject": {"reference": "Patient/p1"},
        **elements,
    }


@pytest.mark.parametrize("name", ["gastric-gist", "thigh-lump"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_record_is_printed_whole(name: str, form: str) -> None:
    result = run("facts", "-", NOW, "--format", form, data=bundle(*base(name)))
    expected = HERE / "facts" / f"{name}.{'txt' if form == 'text' else form}"
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == expected.read_text("utf-8")


UNCERTAIN = "decides nothing: it is not certain that it"
MODIFIER = "https://other.example/fhir/StructureDefinition/modifier"


@pytest.mark.parametrize(
    ("change", "reasons", "facts"),
    [
        (
            {"reasonReference": [{"reference": "Condition/never-sent"}]},
            [f"{UNCERTAIN} was done for this tumour", f"{UNCERTAIN} removed this tumour"],
            ["resected"],
        ),
        (
            {"modifierExtension": [{"url": MODIFIER, "valueBoolean": True}]},
            [f"was not used: it carries the modifier extension `{MODIFIER}`"],
            ["resected", "hysterectomyDone", "ovariesRemoved"],
        ),
    ],
    ids=["it decides nothing", "it was not used"],
)
def test_a_left_out_resource_is_told_with_the_fact_that_hangs_on_it(
    change: Resource, reasons: list[str], facts: list[str]
) -> None:
    resources = [resource for resource in base("gist-resected") if resource["id"] != "rr"]
    next(resource for resource in resources if resource["id"] == "ex").update(change)
    data = bundle(*resources)
    document = json.loads(run("facts", "-", NOW, "--format", "json", data=data).stdout)
    assert document["leftOut"] == [
        {"reference": "Procedure/ex", "reason": reason, "facts": facts} for reason in reasons
    ]
    assert [fact["name"] for fact in document["facts"] if fact["auxiliary"]] == []
    words = " ".join(run("facts", "-", NOW, data=data).stdout.split())
    assert f"tumour removed Procedure/ex {reasons[0]}. " in words


def fact(name: str, expression: str, *extensions: Resource) -> Resource:
    value = {"name": name, "language": "text/fhirpath", "expression": expression}
    more = {"extension": list(extensions)} if extensions else {}
    return {"url": FACT, "valueExpression": {**value, **more}}


def left_out(name: str, sentence: str) -> Resource:
    parts = [{"url": "fact", "valueCode": name}, {"url": "sentence", "valueString": sentence}]
    return {"url": LEFT_OUT, "extension": parts}


def value_text(value: str, text: str) -> Resource:
    parts = [{"url": "value", "valueString": value}, {"url": "text", "valueString": text}]
    return {"url": VALUE_TEXT, "extension": parts}


HELPING = {"url": AUXILIARY, "valueBoolean": True}
SCORES = "%observations.where(code.coding.exists(code = 'score'))"
LIBRARY: Resource = {
    "resourceType": "Library",
    "id": "own",
    "url": OWN,
    "status": "draft",
    "type": {"coding": [{"code": "logic-library"}]},
    "extension": [
        fact("doubtful", f"{SCORES}.where(status = 'preliminary')", HELPING),
        fact("old", f"{SCORES}.where(effective < @2020)", HELPING),
        fact(
            "score",
            f"{SCORES}.where(($this in %old).not()).select(iif($this in %doubtful, {{}}, "
            "value.ofType(string)))",
            {"url": LABEL, "valueString": "risk score"},
            value_text("hi", "high"),
        ),
        fact("anyScore", f"iif(%doubtful.exists(), {{}}, {SCORES}.exists())"),
        fact("weight", "%observations.where(code.coding.exists(code = 'kg')).value.value"),
        fact("bothWeights", "%weight.single() > 50"),
        left_out("doubtful", "decides nothing: it is early"),
        left_out("old", "was not used: it is old"),
    ],
    "dataRequirement": [{"id": "observations", "type": "Observation"}],
}
WEIGHTS = (
    observation(
        "w1", "kg", valueQuantity={"value": 71.50}, effectiveDateTime="2026-05-04T08:00:00Z"
    ),
    observation("w2", "kg", valueQuantity={"value": 72}, effectivePeriod={"end": "2026-06-01"}),
)


def own(folder: Path, *libraries: Resource) -> tuple[str, ...]:
    """Return the options that add Libraries to the content, and name the own one."""
    for library in libraries or (LIBRARY,):
        (folder / f"{library['id']}.json").write_text(json.dumps(library), "utf-8")
    return ("--content", str(folder), "--library", OWN, NOW)


def shown(
    name: str, label: str, value: Any, text: str | None, *evidence: str, auxiliary: bool = False
) -> Resource:
    return {
        "name": name,
        "label": label,
        "value": value,
        "text": text,
        "evidence": list(evidence),
        "known": value is not None,
        "auxiliary": auxiliary,
    }


def test_all_facts_of_an_own_library_as_json(tmp_path: Path) -> None:
    early = observation("s1", "score", valueString="lo", status="preliminary")
    data = bundle(patient(), early, *WEIGHTS)
    options = own(tmp_path)
    document = json.loads(run("facts", "-", *options, "--all", "--format=json", data=data).stdout)
    assert document["issues"][0]["diagnostics"].startswith("The fact `bothWeights` cannot be used.")
    del document["issues"][0]
    source = "Observation/s1"
    assert document == {
        "library": OWN,
        "subject": "Patient/p1",
        "now": "2026-11-24T09:15:00+04:00",
        "facts": [
            shown("doubtful", "doubtful", source, source, source, auxiliary=True),
            shown("old", "old", None, None, auxiliary=True),
            shown("score", "risk score", None, None),
            shown("anyScore", "any score", None, None),
            shown(
                *("weight", "weight", [71.5, 72], "71.5, 72", "Observation/w1", "Observation/w2")
            ),
            shown("bothWeights", "both weights", None, None),
        ],
        "leftOut": [
            {
                "reference": source,
                "reason": "decides nothing: it is early",
                "facts": ["score", "anyScore"],
            }
        ],
        "issues": [],
    }


TEXT = """\
Patient/p1: male, born 1960-02; facts at 2026-11-24 09:15+04:00

Known:
  risk score:  high       (Observation/s2 2026-01-02)
  weight:      71.5, 72   (Observation/w1 2026-05-04, Observation/w2 until 2026-06-01)

Not known:
  any score     Observation/s1 decides nothing: it is early. Observation/s3 decides nothing: it is
                early.
  both weights  The fact
"""


def test_own_facts_as_text(tmp_path: Path) -> None:
    scores = [
        observation("s1", "score", valueString="lo", status="preliminary"),
        observation("s2", "score", valueString="hi", effectiveDateTime="2026-01-02"),
        observation("s3", "score", valueString="lo", status="preliminary"),
        observation("s4", "score", valueString="lo", effectiveDateTime="2019-01-02"),
    ]
    person = patient(gender="male", birthDate="1960-02")
    result = run("facts", "-", *own(tmp_path), data=bundle(person, *scores, *WEIGHTS))
    start, _, rest = result.stdout.partition(" `bothWeights` cannot be used.")
    assert start + "\n" == TEXT
    assert rest.partition("Left out:\n")[2] == (
        "  Observation/s1  decides nothing: it is early.\n"
        "  Observation/s3  decides nothing: it is early.\n"
        "  Observation/s4  was not used: it is old.\n"
    )
    assert max(map(len, result.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    ("elements", "person"),
    [
        ({}, ""),
        ({"gender": "female"}, ": female"),
        ({"birthDate": "1961-11-24"}, ": 65 years"),
        ({"birthDate": "1961-11-25"}, ": 64 years"),
        ({"birthDate": "1961"}, ": born 1961"),
        ({"birthDate": "2027-01-01"}, ": born 2027-01-01"),
    ],
)
def test_the_first_line_says_whose_facts_these_are(
    tmp_path: Path, elements: Resource, person: str
) -> None:
    result = run("facts", "-", *own(tmp_path), data=bundle(patient(**elements)))
    first = result.stdout.splitlines()[0]
    assert first == f"Patient/p1{person}; facts at 2026-11-24 09:15+04:00"


def test_nobody_steers_the_terminal_with_data(tmp_path: Path) -> None:
    score = observation("s1", "score", valueString="a\x85b\u202ec\n d")
    result = run("facts", "-", *own(tmp_path), data=bundle(patient(), score))
    assert "  risk score:  a b\N{REPLACEMENT CHARACTER}c  d   (Observation/s1)" in (
        result.stdout.splitlines()
    )


BROKEN = {"resourceType": "Patient", "id": "p1", "gender": 7}
REFUSED: dict[str, tuple[str, tuple[str, ...]]] = {
    "nothing": ("", ()),
    "not JSON": ("hello", ()),
    "not XML": ("<Patient", ()),
    "not a resource": ("[]", ()),
    "an unknown type": ('{"resourceType": "Foo"}', ()),
    "no patient": (bundle(), ()),
    "two patients": (bundle(patient("a"), patient("b")), ()),
    "a subject that was not sent": (bundle(patient()), ("--subject", "Patient/z")),
    "a patient who cannot be read": (bundle(BROKEN), ()),
    "parameters that are no object": (bundle(patient()), ("--parameters", "[1]")),
    "parameters that are no JSON": (bundle(patient()), ("--parameters", "{")),
    "a moment without a zone": (bundle(patient()), ("--now", "2026-01-01")),
}


@pytest.mark.parametrize(("data", "options"), REFUSED.values(), ids=REFUSED.keys())
def test_what_apply_refuses_is_refused_in_the_same_words(
    data: str, options: tuple[str, ...]
) -> None:
    facts, apply = (run(command, "-", NOW, *options, data=data) for command in ("facts", "apply"))
    assert facts.stderr.replace("facts", "apply") == apply.stderr
    assert (facts.exit_code, facts.stdout) == (apply.exit_code, "")
    assert facts.exit_code in (1, 2)


OTHER = {**LIBRARY, "id": "other", "url": f"{OWN}-other"}
BARE = {k: v for k, v in LIBRARY.items() if k != "extension"} | {"id": "bare", "url": f"{OWN}-bare"}
PLAN = {
    "resourceType": "PlanDefinition",
    "id": "own-plan",
    "url": "https://hospital.example/fhir/PlanDefinition/own",
    "status": "draft",
    "library": [OWN],
}


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ((), "no-such", "The Library with id or canonical `no-such` was not found."),
        (
            (BARE,),
            "bare",
            "The parameter `library` is `bare`; expected a Library with facts.",
        ),
        (
            (LIBRARY, OTHER, PLAN),
            None,
            "The parameter `library` is missing; expected one of "
            f"`https://carepath.example/fhir/Library/mst-facts|0.1.0`, `{OWN}`.",
        ),
    ],
)
def test_a_library_that_cannot_be_meant_is_refused(
    tmp_path: Path, content: tuple[Resource, ...], name: str | None, sentence: str
) -> None:
    own(tmp_path, *(content or (LIBRARY,)))
    named = ("--library", name) if name else ()
    data = bundle(patient())
    result = run("facts", "-", NOW, "--content", str(tmp_path), *named, data=data)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"error: {sentence}\n")
