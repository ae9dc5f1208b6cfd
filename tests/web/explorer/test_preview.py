"""`carepath watch` shows the pages of a folder, which show themselves anew after a change."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Visit, browser, needs_browser, visit  # type: ignore[import-not-found]
from click.testing import CliRunner
from lxml import html
from playwright.sync_api import Browser
from shown_pages import ROOT

from carepath.command.main import main

DESMOID = ROOT / "tests/authoring/desmoid"
PLAN = "content/plan-definition.json"
PAGE = "/pathways/desmoid-watch.html"
BROKEN = (
    "error: `content/plan-definition.json` is broken at `line 1, column 2`: not valid JSON, input "
    "data was truncated."
)
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass
class Watch:
    """A folder that is watched, and where its pages are."""

    folder: Path
    root: str
    process: "subprocess.Popen[bytes]"

    def title(self, text: str) -> None:
        """Give the plan of the folder another title."""
        plan = json.loads((DESMOID / PLAN).read_text("utf-8")) | {"title": text}
        self.write(json.dumps(plan))

    def write(self, text: str) -> None:
        """Put a text in the place of the plan at once."""
        (self.folder / ".hidden.json").write_text(text, "utf-8")
        os.replace(self.folder / ".hidden.json", self.folder / PLAN)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.root + path, headers=headers, trust_env=False)


@contextmanager
def watching(tmp_path: Path) -> Iterator[Watch]:
    """Watch a copy of the folder until the block ends, then end it as Ctrl-C does."""
    folder = Path(shutil.copytree(DESMOID, tmp_path / "desmoid"))
    log = tmp_path / "log"
    command = [sys.executable, "-m", "carepath", "watch", str(folder), "--port", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        for _ in range(1200):
            *_, last = ["", *log.read_text("utf-8").splitlines()]
            if last.startswith("pages: ") or process.poll() is not None:
                break
            time.sleep(0.05)
        assert last.startswith("pages: http://127.0.0.1:"), log.read_text("utf-8")
        yield Watch(folder, last.removeprefix("pages: ").rstrip("/"), process)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=30)
    assert code == 0
    assert "Traceback" not in log.read_text("utf-8")


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watching(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


def test_a_page_keeps_to_itself_and_tells_of_the_check(watch: Watch) -> None:
    for path, status in (("/", 200), (PAGE, 200), ("/pathways/none.html", 404), ("/../x", 404)):
        answer = watch.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            status,
            "text/html; charset=utf-8",
        )
        assert answer.headers["Content-Security-Policy"] == CSP
        assert answer.headers["Cache-Control"] == "no-store"
        page = html.fromstring(answer.content)
        assert page.xpath("string(//aside[@id='check']//summary)") == (
            "4 definitions, 2 cases, 0 errors, 2 warnings"
        )
        assert len(page.xpath("//aside[@id='check']//li")) == 2
        assert page.xpath("//noscript/meta/@http-equiv") == ["refresh"]
        assert page.xpath("//script[not(@src)] | //style | //*[@style]") == []
    head = httpx.head(watch.root + PAGE, trust_env=False)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(watch.get(PAGE).content)
    assert watch.get("/assets/preview.js").headers["Content-Type"] == (
        "text/javascript; charset=utf-8"
    )


def test_a_page_from_elsewhere_cannot_read_it(watch: Watch) -> None:
    port = watch.root.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", ""):
        answer = watch.get("/", Host=host)
        assert (answer.status_code, answer.text) == (421, "This is another host.\n")
    assert watch.get("/", Host=f"localhost:{port}").status_code == 200
    assert httpx.post(watch.root, trust_env=False).status_code == 501


def test_it_ends_while_somebody_waits_for_changes(tmp_path: Path) -> None:
    with watching(tmp_path) as watch, httpx.stream("GET", f"{watch.root}/changes") as stream:
        lines = stream.iter_lines()
        assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        first = next(lines)
        assert first == f"data: {watch.process.pid}-1"
        watch.title("Another title")
        assert [next(lines), next(lines)] == ["", f"data: {watch.process.pid}-2"]


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["watch", str(DESMOID), "--port", str(port)])
    assert (result.exit_code, result.output) == (
        1,
        f"error: 127.0.0.1:{port} cannot be listened on: Address already in use.\n",
    )


def grave(window: Visit) -> list[str]:
    """Return what keeps people from using a page."""
    found = Axe().run(window.page).response["violations"]
    return [v["id"] for v in found if v["impact"] in ("serious", "critical")]


@needs_browser
def test_a_window_follows_the_folder(chromium: Browser, watch: Watch) -> None:
    with visit(chromium, watch.root) as window:
        page = window.page
        page.goto(watch.root + PAGE)
        assert page.locator("h1").inner_text() == "Desmoid: watch and wait"
        assert grave(window) == []
        watch.title("A title of its own")
        page.get_by_role("heading", name="A title of its own").wait_for()
        watch.write("{")
        page.get_by_text(BROKEN).wait_for()
        assert page.locator("#check summary").inner_text() == (
            "The folder cannot be shown as it is; the pages are those of before."
        )
        assert page.locator("h1").inner_text() == "A title of its own"
        assert grave(window) == []
        watch.title("In order again")
        page.get_by_role("heading", name="In order again").wait_for()
        assert "0 errors" in page.locator("#check summary").inner_text()
        window.check()


@needs_browser
def test_a_window_without_scripts_looks_again_by_itself(chromium: Browser, watch: Watch) -> None:
    with visit(chromium, watch.root, java_script_enabled=False) as window:
        window.page.goto(watch.root + PAGE)
        watch.title("Another one")
        window.page.get_by_role("heading", name="Another one").wait_for()


@needs_browser
def test_files_are_read_without_a_service(chromium: Browser, tmp_path: Path) -> None:
    out = tmp_path / "html"
    CliRunner().invoke(main, ["pages", str(DESMOID), "--out", str(out)], catch_exceptions=False)
    with visit(chromium, out.as_uri()) as window:
        window.go("/index.html")
        window.page.get_by_role("link", name="Desmoid: watch and wait").click()
        assert window.page.locator("#cases ~ div tbody tr").count() == 2
        colour = "getComputedStyle(document.querySelector('.canvas')).backgroundColor"
        assert window.page.evaluate(colour) == "rgb(255, 255, 255)"
        window.page.locator(".canvas.wide a").first.click()
        assert window.page.url.endswith("#action-mri")
        window.check()
