"""A patient on a pathway: the plan, each step with its reason, what if, and what is refused."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from shown_pages import BROWSER, ROOT, seen, text_of

from carepath.web.explorer.examples import examples
from carepath.web.server.lanes import lane_of

STATES = {"\N{CHECK MARK} met", "\N{EN DASH} not met", "? undetermined", "\N{BLACK CIRCLE} done"}
HOSTILE = "<script>alert('x')</script>\"'&"


def example(name: str) -> str:
    return (ROOT / "examples" / f"{name}.json").read_text("utf-8")


def post(client: FlaskClient, status: int = 200, **fields: Any) -> html.HtmlElement:
    return seen(client.post("/try", data=fields, headers=BROWSER), status)


def test_every_example_of_the_folder_is_offered(shipped: FlaskClient) -> None:
    files = {path.stem for path in (ROOT / "examples").glob("*.json")}
    tree = seen(shipped.get("/try", headers=BROWSER))
    assert set(tree.xpath("//button[@name='example']/@value")) == files == set(examples())


@pytest.mark.parametrize("name", sorted(examples()))
def test_an_example_is_answered(shipped: FlaskClient, name: str) -> None:
    tree = seen(shipped.get(f"/try?example={name}", headers=BROWSER))
    body = example(name)
    applied = shipped.post(
        "/fhir/PlanDefinition/mst-pathway/$apply",
        data=body,
        headers={"Content-Type": "application/fhir+json"},
    ).json
    pre = tree.xpath("//section[@id='view-fhir']/pre[@class='json']")[0]
    assert json.loads(pre.text_content()) == applied
    assert set(text_of(tree, "//details[contains(@class, 'step ')]/summary/span[1]")) <= STATES
    assert tree.xpath("//article[@class='sheet']//h3")


def test_a_step_tells_reason_facts_evidence_and_source(shipped: FlaskClient) -> None:
    tree = seen(shipped.get("/try?example=mcode-collection&plan=mst-gist", headers=BROWSER))
    step = tree.xpath("//details[.//span[text()='Resection of GIST from 2 cm']]")[0]
    assert text_of(step, "./summary/span[1]") == ["\N{CHECK MARK} met"]
    facts = text_of(step, ".//ul[@class='facts']/li")
    size = next(text for text in facts if text.startswith("largest dimension"))
    said = (
        "largest dimension in cm: 3.4, from Observation/size Observation.component[0].value.value"
    )
    assert size == said
    anchor = step.xpath(".//li[strong='largest dimension in cm']/a/@href")[0].removeprefix("#")
    marked = text_of(tree, f"//pre[@id='{anchor}']/mark")
    assert marked == ['"value": 34,']
    assert text_of(step, ".//li[@class='truth-yes']/span")[0] == "yes"
    assert text_of(step, ".//dl[@class='statements']/dt") == ["S1-24", "S1-39", "S2-57"]
    assert text_of(step, ".//p[@class='conflict']/strong") == ["Sources disagree."]


def test_the_picture_carries_the_states(shipped: FlaskClient) -> None:
    tree = seen(shipped.get("/try?example=mcode-collection&plan=mst-gist", headers=BROWSER))
    links = tree.xpath("//div[@class='pictures no-print']//a")
    labels = [link.get("aria-label") for link in links]
    assert "Resection of GIST from 2 cm: \N{CHECK MARK} met" in labels
    steps = text_of(tree, "//details[contains(@class, 'step ')]/summary/span[2]")
    assert len(labels) == len(steps)
    for link in links:
        title = tree.get_element_by_id(link.get("href")[1:]).getparent().find("summary")
        assert title[1].text == link.get("aria-label").rpartition(": ")[0]


def test_what_if_tells_what_changes_and_that_it_is_supposed(shipped: FlaskClient) -> None:
    text = example("mcode-collection")
    tree = post(shipped, data=text, plan="mst-gist", **{"assume.sizeCm": "1.5"})
    told = text_of(tree, "//div[@class='assumption']/p")[0]
    assert told.startswith("This is no plan for the patient as recorded.")
    assert "largest dimension in cm is 1.5" in told
    changes = text_of(tree, "//ul[@class='changes']/li")
    assert changes[0] == (
        "GIST smaller than 2 cm: monitor or remove: "
        "\N{EN DASH} not met \N{RIGHTWARDS ARROW}becomes \N{CHECK MARK} met"
    )
    assert tree.xpath("//textarea[@name='data']")[0].text.strip() == text.strip()
    assert tree.xpath("//input[@name='assume.sizeCm']/@value") == ["1.5"]
    assert tree.xpath("//input[@name='assume.sizeCm']/@placeholder") == ["3.4"]
    cleared = post(shipped, data=text, plan="mst-gist", clear="1", **{"assume.sizeCm": "1.5"})
    assert cleared.xpath("//div[@class='assumption']") == []


def test_a_known_fact_may_be_supposed_unknown(shipped: FlaskClient) -> None:
    tree = post(shipped, data=example("mcode-collection"), plan="mst-gist", **{"assume.m": "?"})
    assert "distant metastasis (M) is not known" in text_of(tree, "//div[@class='assumption']/p")[0]
    assert "? undetermined" in text_of(tree, "//ul[@class='changes']/li/span[last()]")


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        (
            {"data": ""},
            400,
            "The parameter `data` is missing; expected a Bundle: dropped, pasted, ",
        ),
        ({"data": "{"}, 400, "The input cannot be read"),
        ({"data": "[]"}, 400, "The input cannot be read: a FHIR resource is an object"),
        ({"data": "<a/>"}, 400, "The input cannot be read"),
        ({"data": '{"resourceType": "Bundle", "type": "collection"}'}, 400, "no Patient"),
        ({"data": '{"resourceType": "Bundle", "entry": 7}'}, 422, "Bundle.entry"),
        ({"example": "none"}, 400, "The parameter `example` is `none`; expected `mcode"),
        ({"example": "message", "plan": "none"}, 404, "`none` was not found"),
        ({"example": "message", "subject": "Patient/none"}, 404, "not in the data"),
        ({"example": "message", "assume.none": "1"}, 400, "expected a fact of the pathway"),
        ({"example": "message", "assume.grade": "7"}, 400, "The parameter `assume.grade` is `7`"),
        *(
            ({"example": "message", "assume.sizeCm": text}, 400, "expected a number, or `?`")
            for text in ("NaN", "1e99999999", "1e-99999999", "-1e400", "9" * 5_000)
        ),
    ],
)
def test_what_is_wrong_is_said_on_a_page(
    shipped: FlaskClient, fields: dict[str, str], status: int, sentence: str
) -> None:
    tree = post(shipped, status, **fields)
    assert sentence in " ".join(text_of(tree, "//div[@role='alert']//li"))


def test_a_form_of_another_kind_is_refused(shipped: FlaskClient) -> None:
    answer = shipped.post("/try", data=example("message"), content_type="application/json")
    seen(answer, 415)
    for broken in (b"", b"--x\r\nnonsense", b"--x\r\n" * 2_000):
        answer = shipped.post("/try", data=broken, content_type="multipart/form-data; boundary=x")
        assert answer.status_code in (400, 413)
    answer = shipped.post("/try", data=b"a", content_type="multipart/form-data")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=1&" * 1_001, "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 1_001 + b"--x--",
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_a_form_has_so_many_fields(shipped: FlaskClient, body: bytes, kind: str) -> None:
    answer = shipped.post("/try", data=body, content_type=kind, headers=BROWSER)
    said = text_of(seen(answer, 413), "//div[@role='alert']//li")
    assert said == ["The number of fields of the form is larger than this service allows (1000)."]


def test_a_file_counts_and_goes_nowhere(
    shipped: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_more: Any) -> Any:
        raise AssertionError("a temporary file was made")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(f"tempfile.{name}", refuse)
    bundle = json.loads(example("message"))
    bundle["entry"].append({"resource": {"resourceType": "Basic", "id": "x" * 60, "code": {}}})
    text = json.dumps(bundle) + " " * 700_000
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="b.json"\r\n\r\n'
    body = head + text.encode() + b"\r\n--x--\r\n"
    kind = "multipart/form-data; boundary=x"
    tree = seen(shipped.post("/try", data=body, content_type=kind, headers=BROWSER))
    assert tree.xpath("//article[@class='sheet']")
    latin = (BytesIO(b"\xff\xfe"), "bundle.json")
    assert "the file is not UTF-8" in post(shipped, 400, file=latin).text_content()


def test_texts_of_the_record_stay_texts(shipped: FlaskClient) -> None:
    bundle = json.loads(example("mcode-collection"))
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            resource["name"] = [{"text": HOSTILE}]
        resource.setdefault("note", [{"text": HOSTILE}])
        resource.setdefault("code", {})["text"] = HOSTILE
    tree = post(shipped, data=json.dumps(bundle))
    assert tree.xpath("//script[not(@src)]") == []
    assert HOSTILE in tree.xpath("//textarea[@name='data']")[0].text.replace('\\"', '"')


def test_limits_hold_for_pages(service_of: Callable[..., FlaskClient], tmp_path: Path) -> None:
    plan = {"resourceType": "PlanDefinition", "id": "p", "status": "draft"}
    patient = '{"resourceType": "Patient", "id": "a"}'
    client = service_of(plan, max_body_bytes=2_000)
    assert post(client, data=patient).xpath("//article")
    assert "is larger than" in post(client, 413, data=patient + " " * 3_000).text_content()
    client = service_of(plan, rate_limit=0.001, rate_burst=1)
    post(client, data=patient)
    assert "Too many requests" in post(client, 429, data=patient).text_content()
    client = service_of(plan, queue_seconds=0.0, max_applications=1)
    gate = client.application.extensions["carepath"].gate
    with gate.turn():
        answer = client.post("/try", data={"data": patient}, headers=BROWSER)
    seen(answer, 503)
    assert answer.headers["Retry-After"]


def test_pages_that_work_are_in_the_lane_of_operations() -> None:
    lanes = {path: lane_of(path) for path in ("/try", "/try/", "/fhirpath", "/", "/pathways/x")}
    assert lanes == {
        "/try": "operation",
        "/try/": "operation",
        "/fhirpath": "operation",
        "/": "look_up",
        "/pathways/x": "look_up",
    }


def test_an_own_plan_without_library_is_shown(service_of: Callable[..., FlaskClient]) -> None:
    inner = {"title": "Inside", "condition": [_condition("false")]}
    plan = {
        "resourceType": "PlanDefinition",
        "id": "own",
        "status": "draft",
        "action": [{"title": "Walk", "condition": [_condition("true")], "action": [inner]}],
    }
    tree = post(service_of(plan), data='{"resourceType": "Patient", "id": "a"}')
    assert text_of(tree, "//details[contains(@class, 'step ')]/summary") == [
        "\N{CHECK MARK} met Walk",
        "\N{EN DASH} not met Inside",
    ]


def test_the_page_is_there_however_little_answers_explain(
    service_of: Callable[..., FlaskClient],
) -> None:
    plan = {"resourceType": "PlanDefinition", "id": "own", "status": "draft", "title": "Own"}
    client = service_of(plan, explain="none")
    tree = post(client, data='{"resourceType": "Patient", "id": "a"}')
    assert text_of(tree, "//article[@class='sheet']//h2") == ["Own"]
    answer = json.loads(tree.xpath("//section[@id='view-fhir']/pre[@class='json']")[0].text)
    assert "text" not in answer


def _condition(expression: str) -> dict[str, Any]:
    language = {"language": "text/fhirpath", "expression": expression}
    return {"kind": "applicability", "expression": language}
