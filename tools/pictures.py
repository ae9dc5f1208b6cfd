"""Take the pictures of the README from the running page, in Chromium, into `docs/pictures/`.

Usage: python tools/pictures.py [--to DIR]

What they show comes from the page alone; how letters look is the machine's, so that the files of
two machines differ and only their size and names can be held by a test.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
NOW = "2026-11-27T12:00:00+00:00"
NAMES = ("chromium", "chromium-browser", "google-chrome")
LARGEST = 200_000
"""Bytes of a picture: the README is to open at once."""
WIDTH, HEIGHT = 1120, 600
ABOVE = 6
"""Pixels that are left above what a picture begins with."""
WAIT_SECONDS = 60
PLAN = "/try?example=mcode-collection&plan=mst-gist"


def main() -> int:
    """Take the pictures and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=FOLDER)
    options = parser.parse_args()
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        print(f"No browser is here to take pictures with: none of {', '.join(NAMES)}.")
        return 1
    options.to.mkdir(parents=True, exist_ok=True)
    with _service() as root, sync_playwright() as playwright:
        # As root Chromium runs without its sandbox only; the pages are our own.
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, show in PICTURES.items():
            page = window.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.goto(root + PLAN)
            page.wait_for_load_state("networkidle")
            _take(page, show(page), options.to / name)
        window.close()
    return max(_judged(options.to / name) for name in PICTURES)


def _plan(page: Page) -> Locator:
    """Show the plan beside the pathway; return what stands at the top of the picture."""
    return page.get_by_role("tablist")


def _reason(page: Page) -> Locator:
    """Show the reason of one step; return what stands at the top of the picture."""
    page.get_by_role("tab", name="Decisions", exact=True).click()
    step = page.locator("summary", has_text="Resection of GIST from 2 cm")
    step.click()
    return step


PICTURES: Mapping[str, Callable[[Page], Locator]] = {
    "plan-beside-pathway.png": _plan,
    "reason-of-a-step.png": _reason,
}
"""The pictures by name, and what brings the page to where it is taken."""


def _take(page: Page, top: Locator, file: Path) -> None:
    """Take what stands from an element down, as high as a window."""
    page.evaluate("window.scrollTo(0, 0)")
    box = top.bounding_box()
    if box is None:
        raise SystemExit(f"{file.name}: the page does not show what the picture begins with.")
    height = min(HEIGHT, page.evaluate("document.documentElement.scrollHeight") - box["y"])
    clip = {"x": 0, "y": box["y"] - ABOVE, "width": WIDTH, "height": height}
    page.screenshot(path=file, full_page=True, clip=clip)  # type: ignore[arg-type]


def _judged(file: Path) -> int:
    """Print the size of a picture; return 1 where it is too large."""
    size = file.stat().st_size
    print(f"{file.name}: {size // 1000} kB")
    return int(size >= LARGEST)


@contextmanager
def _service() -> Iterator[str]:
    """Run the service until the block ends; yield its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "carepath", "serve", "--port", str(port)]
    settings = {"CAREPATH_NOW": NOW, "CAREPATH_LOG_LEVEL": "warning"}
    with subprocess.Popen(command, env=os.environ | settings) as process:
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait(root: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the service answers; raise when it ended or took too long."""
    for _ in range(WAIT_SECONDS * 20):
        try:
            if process.poll() is None and httpx.get(f"{root}/readyz", timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit("The service did not start.")


if __name__ == "__main__":
    sys.exit(main())
