"""A real browser for the tests: Chromium as the system has it, driven by Playwright.

Where it is absent the tests are skipped with that reason, unless `CAREPATH_BROWSER_NEEDED` is set:
then they fail.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
IS_NEEDED = bool(os.environ.get("CAREPATH_BROWSER_NEEDED"))
needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not IS_NEEDED, reason=f"no browser is here: none of {', '.join(NAMES)}"
)


@contextmanager
def browser() -> Iterator[Browser]:
    """Run a browser until the block ends."""
    if CHROMIUM is None:
        raise FileNotFoundError(f"A browser is needed, and none of {NAMES} is here.")
    with sync_playwright() as playwright:
        # As root Chromium runs without its sandbox only; the pages are our own.
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield one
        finally:
            one.close()


@dataclass
class Visit:
    """A page with all that it asked for and complained of."""

    page: Page
    root: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page of the service."""
        self.page.goto(self.root + path)
        self.page.wait_for_load_state("networkidle")

    def check(self) -> None:
        """Hold that nothing failed, and that nothing was asked of another host."""
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(f"{self.root}/")] == []


@contextmanager
def visit(one: Browser, root: str, **settings: Any) -> Iterator[Visit]:
    """Open a window that notes what goes wrong in it."""
    context = one.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    made = Visit(context.new_page(), root)
    page = made.page
    page.on("console", lambda m: m.type in ("error", "warning") and made.complaints.append(m.text))
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    page.on("request", lambda request: made.requests.append(request.url))
    try:
        yield made
    finally:
        context.close()
