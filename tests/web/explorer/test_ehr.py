"""The page that plays an EHR: forms, cards, what is made of them, and a real browser."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import browser, needs_browser, visit  # type: ignore[import-not-found]
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from shown_pages import BROWSER, NOW, seen, text_of  # type: ignore[import-not-found]

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app
from carepath.web.explorer.markdown import html_of, local
from carepath.web.feedback import entries_in

VIEW = "mst-pathway-patient-view"
SIGN = "mst-draft-orders-order-sign"
PHONE = {"viewport": {"width": 360, "height": 740}}
CHART = f"/ehr?example=mcode-collection&service={VIEW}"
HOME = "https://here.example"
ODD = '{"resourceType": "Bundle", "entry": [3, {}, {"resource": "x"}, {"resource": PATIENT}]}'
PATIENT = '{"resourceType": "Patient", "id": "p"}'
BOLD = "<p><strong>Because</strong></p><ul><li>one</li><li><strong>two</strong></li></ul>"


def case(name: str) -> dict[str, Any]:
    path = Path(__file__).parents[1] / "cds_hooks/shipped" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def chart_and_order(name: str) -> tuple[str, str]:
    """Return the Bundle of a case, and its draft order, as an EHR holds them."""
    request = case(name)["request"]
    held = request["prefetch"].values()
    entries = [e for one in held if one for e in one.get("entry", [{"resource": one}])]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    order = request["context"]["draftOrders"]["entry"][0]["resource"]
    return json.dumps(bundle), json.dumps(order)


def test_the_form_lists_services_and_patients(shipped: FlaskClient) -> None:
    tree = seen(shipped.get("/ehr", headers=BROWSER))
    services = json.loads(shipped.get("/cds-services").data)["services"]
    assert tree.xpath("//select[@id='service']/option/@value") == [s["id"] for s in services]
    assert "mcode-collection" in tree.xpath("//button[@name='example']/@value")
    assert tree.xpath("//article") == []


def test_an_example_is_answered_with_the_cards_of_the_service(shipped: FlaskClient) -> None:
    tree = seen(shipped.get(CHART, headers=BROWSER))
    request = json.loads(text_of(tree, "//pre[@aria-label='Request']")[0])
    answer = shipped.post(f"/cds-services/{VIEW}", json=request)
    cards = json.loads(answer.data)["cards"]
    assert text_of(tree, "//article/h3") == [card["summary"] for card in cards]
    offers = [s["uuid"] for card in cards for s in card.get("suggestions", ())]
    assert tree.xpath("//button[@name='accept']/@value") == offers


def test_a_draft_order_goes_into_the_context(shipped: FlaskClient) -> None:
    data, order = chart_and_order("imatinib-without-a-result")
    form = {"service": SIGN, "data": data, "orders": order}
    tree = seen(shipped.post("/ehr", data=form, headers=BROWSER))
    expected = [card["summary"] for card in case("imatinib-without-a-result")["answer"]["cards"]]
    assert text_of(tree, "//article/h3") == expected


def test_what_is_made_of_a_card_is_told_and_kept(tmp_path: Path) -> None:
    kept = tmp_path / "feedback.ndjson"
    client = create_app(Config(now=NOW, cds_hooks_feedback=str(kept))).test_client()
    data, order = chart_and_order("imatinib-without-a-result")
    form = {"service": SIGN, "data": data.replace("\n", "\r\n"), "orders": order}
    tree = seen(client.post("/ehr", data=form, headers=BROWSER))
    accept = tree.xpath("//button[@name='accept']/@value")[0]
    dismiss = tree.xpath("//button[@name='dismiss']/@value")[0]
    reason = tree.xpath("//select[@id='reason-0']/option/@value")[1]
    taken = seen(client.post("/ehr", data={**form, "accept": accept}, headers=BROWSER))
    action = json.loads(text_of(taken, "//pre[@aria-label='Action']")[0])
    assert (action["type"], action["resource"]["status"]) == ("create", "draft")
    answer = {**form, "dismiss": dismiss, "reason-0": reason, "comment-0": " seen elsewhere "}
    seen(client.post("/ehr", data=answer, headers=BROWSER))
    told = [
        {k: v for k, v in e.items() if k not in ("received", "request_id")}
        for e in entries_in(kept)
    ]
    head = {"service": SIGN, "hook": "order-sign", "card": dismiss}
    time = {"outcomeTimestamp": "2026-11-27T12:00:00Z"}
    assert [{k: v for k, v in e.items() if k != "overrideReason"} for e in told] == [
        {**head, "outcome": "accepted", "acceptedSuggestions": [{"id": accept}], **time},
        {**head, "outcome": "overridden", **time},
    ]
    assert told[1]["overrideReason"]["reason"]["code"] == reason
    assert told[1]["overrideReason"]["userComment"] == "seen elsewhere"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"service": VIEW}, 400),
        ({"service": "none", "data": '{"resourceType": "Bundle"}'}, 404),
        ({"service": VIEW, "data": "nonsense"}, 400),
        ({"service": VIEW, "data": '{"resourceType": "Bundle"}'}, 400),
        ({"service": VIEW, "data": '{"resourceType": "Bundle", "entry": 3}'}, 400),
        ({"service": VIEW, "data": ODD.replace("PATIENT", "1")}, 400),
        ({"service": VIEW, "data": ODD.replace("PATIENT", '{"resourceType": "Patient"}')}, 400),
        ({"service": VIEW, "data": ODD.replace("PATIENT", PATIENT)}, 200),
        ({"service": SIGN, "data": ODD.replace("PATIENT", PATIENT), "orders": "{}"}, 400),
        ({"service": VIEW, "data": '{"resourceType": "Patient", "id": "p"}'}, 400),
        ({"service": VIEW, "example": "none"}, 400),
        ({"service": SIGN, "example": "mcode-collection", "orders": "["}, 400),
        ({"service": SIGN, "example": "mcode-collection", "accept": "none", "dismiss": "x"}, 200),
    ],
)  # fmt: skip
def test_odd_forms_are_told(shipped: FlaskClient, form: dict[str, str], status: int) -> None:
    seen(shipped.post("/ehr", data=form, headers=BROWSER), status)


def test_it_is_not_there_where_hooks_are_switched_off() -> None:
    client = create_app(Config(cds_hooks=False), Knowledge.of([])).test_client()
    tree = seen(client.get("/ehr", headers=BROWSER), 404)
    assert "/ehr" not in tree.xpath("//nav//a/@href")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b", "<p>a &lt; b</p>"),
        (r"\<script\> \*\* \_", "<p>&lt;script&gt; ** _</p>"),
        ("**Because**\n- one\n- **two**", BOLD),
        ("one\n\n*two*", "<p>one</p>\n<p><em>two</em></p>"),
        (f"[S\\]1]({HOME}/pathways/x#s)", '<p><a href="/r/pathways/x#s">S]1</a></p>'),
        ("[x](javascript:alert)", '<p><a href="#main">x</a></p>'),
        ("&#8203;- item", "<p>- item</p>"),
        ("", "<p></p>"),
    ],
)  # fmt: skip
def test_cards_are_set_as_html(text: str, expected: str) -> None:
    assert html_of(text, HOME, "/r") == expected


def test_links_lead_nowhere_else() -> None:
    assert local(f"{HOME}/x", HOME, "") == "/x"
    assert local(f"{HOME}.evil.example/x", HOME, "") == "#main"
    assert local("https://evil.example", "", "") == "#main"


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    kept = tmp_path_factory.mktemp("kept") / "feedback.ndjson"
    with serve(CAREPATH_NOW=NOW, CAREPATH_CDS_HOOKS_FEEDBACK=str(kept)) as one:
        one.kept = kept
        yield one


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


def grave(page: Any) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [v["id"] for v in found if v["impact"] in ("serious", "critical")]


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/ehr", CHART])
def test_the_page_is_for_everybody(chromium: Browser, server: Any, path: str, scheme: str) -> None:
    with visit(chromium, server.root, color_scheme=scheme, **PHONE) as window:
        window.go(path)
        for details in window.page.locator("details").all():
            details.evaluate("element => { element.open = true; }")
        assert grave(window.page) == []
        wide = window.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["viewport"]["width"]
        window.check()


@needs_browser
@pytest.mark.parametrize("scripts", [True, False])
def test_an_order_is_warned_of_and_what_is_missing_accepted(
    chromium: Browser, server: Any, scripts: bool
) -> None:
    data, order = chart_and_order("imatinib-without-a-result")
    with visit(chromium, server.root, java_script_enabled=scripts) as window:
        window.go("/ehr")
        page = window.page
        page.get_by_label("Hook and service").select_option(SIGN)
        page.get_by_label("or as text").fill(data)
        page.get_by_label("What is new").fill(order)
        page.get_by_role("button", name="Call", exact=True).last.click()
        card = page.locator("article.is-warning")
        assert card.get_by_role("heading").inner_text().startswith("Tyrosine kinase inhibitor")
        card.get_by_role("button", name="KIT and PDGFRA mutation analysis").click()
        assert page.get_by_role("heading", name="Accepted").is_visible()
        assert '"type": "create"' in page.get_by_label("Action").inner_text()
        assert '"outcome": "accepted"' in page.get_by_label("Feedback").inner_text()
        page.locator("article.is-warning summary", has_text="Dismiss").click()
        page.get_by_label("Reason").select_option(label="Too urgent to wait")
        page.get_by_label("Comment").first.fill("on the way to theatre")
        page.get_by_role("button", name="Dismiss the card").first.click()
        assert page.get_by_role("heading", name="Told to the service").is_visible()
        assert (
            '"userComment": "on the way to theatre"' in page.get_by_label("Feedback").inner_text()
        )
        window.check()
    kept = [entry["outcome"] for entry in entries_in(server.kept)]
    assert kept[-2:] == ["accepted", "overridden"]
