"""The explorer in a real browser: it works, keeps to itself, and can be used by everybody."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Visit, browser, needs_browser, visit  # type: ignore[import-not-found]
from playwright.sync_api import Browser
from shown_pages import NOW, ROOT

pytestmark = needs_browser
PAGES = (
    *("/", "/pathways/mst-gist", "/pathways/mst-pathway", "/try", "/fhirpath", "/api"),
    *("/docs/http-api.md", "/docs/integration/README.md"),
)
PLAN = "/try?example=mcode-collection&plan=mst-gist"
OPEN = "/try?example=suspected-collection"
NARROW: Any = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any]) -> Iterator[Any]:
    """A service at a time after that of the examples."""
    with serve(CAREPATH_NOW=NOW) as one:
        yield one


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture
def window(chromium: Browser, server: Any) -> Iterator[Visit]:
    with visit(chromium, server.root) as one:
        yield one
        one.check()


def grave(window: Visit, **options: Any) -> list[tuple[str, str]]:
    """Return what keeps people from using a page, with the first place of each."""
    found = Axe().run(window.page, options=options).response["violations"]
    return [
        (violation["id"], violation["nodes"][0]["html"][:200])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("path", [*PAGES, PLAN, OPEN, "/nothing"])
def test_a_page_is_for_everybody(window: Visit, path: str) -> None:
    """By day and by night, when only colours change, and on a narrow screen."""
    window.go(path)
    page = window.page
    assert grave(window) == []
    page.emulate_media(color_scheme="dark")
    assert grave(window, runOnly=["color-contrast"]) == []
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert grave(window) == []
    window.complaints = [c for c in window.complaints if "404" not in c]


def test_each_view_is_for_everybody(window: Visit) -> None:
    window.go(PLAN)
    page = window.page
    for name in ("Decisions", "Facts", "Record", "FHIR and requests"):
        page.get_by_role("tab", name=name, exact=True).click()
        for details in page.locator(".view:not([hidden]) details").all():
            details.evaluate("element => { element.open = true; }")
        assert grave(window) == []


def test_a_dropped_bundle_is_applied(window: Visit) -> None:
    window.go("/try")
    text = (ROOT / "examples/message.json").read_text("utf-8")
    with window.page.expect_navigation():
        window.page.evaluate(
            """text => {
                const data = new DataTransfer();
                data.items.add(new File([text], "bundle.json", { type: "application/json" }));
                const place = document.querySelector("[data-drop]");
                place.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
            }""",
            text,
        )
    assert window.page.get_by_role("heading", name="Next steps").is_visible()


def test_a_click_leads_from_the_picture_to_the_element(window: Visit) -> None:
    window.go(PLAN)
    page = window.page
    page.locator("a[aria-label='Resection of GIST from 2 cm: \N{CHECK MARK} met']").click()
    assert page.get_by_role("tab", name="Decisions").get_attribute("aria-selected") == "true"
    step = page.locator("details.step[open]")
    assert step.locator(".step-title").inner_text() == "Resection of GIST from 2 cm"
    assert step.locator("dt").all_inner_texts() == ["S1-24", "S1-39", "S2-57"]
    assert step.locator(".conflict").is_visible()
    step.get_by_role("link", name="Observation/size").click()
    assert page.get_by_role("tab", name="Record").get_attribute("aria-selected") == "true"
    marked = page.locator("pre:focus mark")
    assert [text.strip() for text in marked.all_inner_texts()] == ['"value": 34,']
    page.go_back()
    assert page.get_by_role("tab", name="Decisions").get_attribute("aria-selected") == "true"


def test_what_if_is_answered_at_once(window: Visit) -> None:
    window.go(OPEN)
    page = window.page
    field = page.get_by_label("metastasis suspected")
    field.focus()
    with page.expect_response("**/try"):
        field.select_option("true")
    page.get_by_role("status").wait_for()
    assert "This is no plan for the patient as recorded." in page.get_by_role("status").inner_text()
    assert page.locator(".changes li").count() >= 1
    assert page.get_by_label("metastasis suspected").input_value() == "true"
    assert page.evaluate("document.activeElement.id").endswith("metastasisSuspected")
    with page.expect_response("**/try"):
        page.get_by_role("button", name="As recorded again").click()
    page.get_by_role("status").wait_for(state="detached")


def test_an_expression_is_evaluated(window: Visit) -> None:
    window.go("/fhirpath")
    page = window.page
    page.get_by_label("An example").select_option("message")
    page.get_by_label("Expression").fill("entry.resource.ofType(Patient).gender")
    page.get_by_role("button", name="Evaluate").click()
    assert page.locator("#result ~ table td").all_inner_texts() == ["'male'"]
    assert grave(window) == []


def test_keys_are_enough(window: Visit) -> None:
    window.go(PLAN)
    page = window.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_role("tab", name="Plan").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "Decisions"
    assert page.locator("#view-decisions").is_visible()
    assert not page.locator("#view-plan").is_visible()
    page.keyboard.press("ArrowLeft")
    page.locator(".drawing a").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.step[open]").count() == 1


def test_the_plan_is_printed_and_nothing_beside_it(window: Visit) -> None:
    window.go(PLAN)
    page = window.page
    page.get_by_role("tab", name="Facts").click()
    page.emulate_media(media="print")
    assert page.locator(".sheet").is_visible()
    for hidden in (".top", "#what-if", "#view-facts", ".pictures", ".tabs"):
        assert not page.locator(hidden).is_visible(), hidden
    data = page.pdf(format="A4")
    assert data.startswith(b"%PDF-")
    assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page/") <= 2


def test_pages_are_read_without_scripts(chromium: Browser, server: Any) -> None:
    with visit(chromium, server.root, java_script_enabled=False) as window:
        window.go("/try")
        page = window.page
        page.get_by_role("button", name="Localised gastric").click()
        for view in ("plan", "decisions", "facts", "record", "fhir"):
            assert page.locator(f"#view-{view}").is_visible()
        page.locator("#what-if summary").click()
        page.get_by_label("grade").select_option("high")
        page.get_by_role("button", name="See what changes").click()
        assert "grade is high" in page.get_by_role("status").inner_text()
        window.check()
