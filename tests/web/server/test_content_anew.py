"""SIGHUP reads the content anew: no request is lost, and what is broken changes nothing."""

import json
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

DESMOID = Path(__file__).parents[2] / "authoring/desmoid/content"
PLAN = "PlanDefinition/desmoid-watch"
BEFORE, AFTER = "Desmoid: watch and wait", "Desmoid: watch, wait and tell"
TEMPLATE = "<h1>{}</h1>"
BODY = json.dumps(
    {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {"resourceType": "Patient", "id": "p"}}],
    }
).encode()
HEADERS = {"Content-Type": "application/fhir+json", "Connection": "close"}


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DESMOID, tmp_path / "content"))


def write(content: Path, title: str) -> None:
    text = (DESMOID / "plan-definition.json").read_text("utf-8")
    assert text.count(f'"title": "{BEFORE}"') == 1
    text = text.replace(f'"title": "{BEFORE}"', f'"title": {json.dumps(title)}')
    (content / "plan-definition.json").write_text(text, "utf-8")


def apply(root: str) -> str:
    """Return the title of a plan, or what came in its place."""
    try:
        answer = httpx.post(f"{root}/fhir/{PLAN}/$apply", content=BODY, headers=HEADERS, timeout=60)
        return str(answer.json().get("title", answer.status_code))
    except (httpx.TransportError, ValueError) as error:
        return type(error).__name__


@contextmanager
def load(root: str) -> Iterator[Counter[str]]:
    """Let four clients apply the plan again and again; count the titles they see."""
    seen: Counter[str] = Counter()
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            seen[apply(root)] += 1

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(1200):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass within a minute")


def workers(server: Any) -> set[str]:
    pid = server.process.pid
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split())


def hang_up(server: Any) -> None:
    os.kill(server.process.pid, signal.SIGHUP)


def test_new_content_comes_without_losing_a_request(
    serve: Callable[..., Any], content: Path
) -> None:
    with serve(CAREPATH_CONTENT=str(content)) as one, load(one.root) as seen:
        wait_until(lambda: seen[BEFORE] > 8)
        old = workers(one)
        write(content, AFTER)
        hang_up(one)
        wait_until(lambda: not old & workers(one))
        done = seen[AFTER]
        wait_until(lambda: seen[AFTER] > done + 8)
        assert apply(one.root) == AFTER
    assert set(seen) == {BEFORE, AFTER}
    told = [line["message"] for line in one.lines if line["logger"] == "carepath.server"]
    assert told.count("loaded anew") == 1


def test_broken_content_leaves_the_workers_as_they_are(
    serve: Callable[..., Any], content: Path
) -> None:
    with serve(CAREPATH_CONTENT=str(content)) as one, load(one.root) as seen:
        wait_until(lambda: len(workers(one)) == 2 and seen[BEFORE] > 8)
        old = workers(one)
        (content / "plan-definition.json").write_text('{"resourceType": "Plan"}', "utf-8")
        hang_up(one)
        time.sleep(3)
        done = seen[BEFORE]
        wait_until(lambda: seen[BEFORE] > done + 8)
        assert workers(one) == old
        write(content, AFTER)
        hang_up(one)
        wait_until(lambda: seen[AFTER] > 8)
    assert set(seen) == {BEFORE, AFTER}
    told = [
        (line["message"], line["because"])
        for line in one.lines
        if (line["logger"], line["level"]) == ("carepath.server", "error")
    ]
    assert told == [
        (
            "not loaded anew; the workers go on",
            "`plan-definition.json` is broken at `resourceType`: `Plan` is no resource type of "
            "FHIR R4.",
        )
    ]


@pytest.mark.slow
def test_templates_and_parameters_come_anew_too(
    serve: Callable[..., Any], content: Path, tmp_path: Path
) -> None:
    """A broken file of parameters is refused as broken content is."""
    templates, parameters = tmp_path / "templates", tmp_path / "parameters.json"
    templates.mkdir()
    (templates / "clinician.xhtml").write_text(TEMPLATE.format("one"), "utf-8")
    parameters.write_text("{}", "utf-8")
    settings = {
        "CAREPATH_CONTENT": str(content),
        "CAREPATH_TEMPLATES": str(templates),
        "CAREPATH_PARAMETERS": str(parameters),
        "CAREPATH_WORKERS": "1",
    }
    with serve(**settings) as one:

        def narrative() -> str:
            answer = httpx.post(
                f"{one.root}/fhir/{PLAN}/$apply", content=BODY, headers=HEADERS, timeout=60
            )
            return str(answer.json()["text"]["div"])

        assert TEMPLATE.format("one") in narrative()
        (templates / "clinician.xhtml").write_text(TEMPLATE.format("two"), "utf-8")
        parameters.write_text("[]", "utf-8")
        hang_up(one)
        time.sleep(3)
        assert TEMPLATE.format("one") in narrative()
        parameters.write_text("{}", "utf-8")
        old = workers(one)
        hang_up(one)
        wait_until(lambda: not old & workers(one))
        wait_until(lambda: TEMPLATE.format("two") in narrative())
    told = [line["because"] for line in one.lines if line["level"] == "error"]
    assert told == [
        f"The setting `CAREPATH_PARAMETERS` is `{parameters}`; expected a file with a JSON object."
    ]
