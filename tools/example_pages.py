"""Write the pages of typical patients to `docs/examples/`, or check that they are fresh.

Each is the page as HTML, ready to be printed, and as text; one is there for the patient as well.

Usage: python tools/example_pages.py [--check]
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from carepath.apply import apply_plan
from carepath.authoring.cases import Case, read_case, request_of
from carepath.command.plan_text import care_plan_text
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases"
EXAMPLES = ROOT / "docs" / "examples"
PATIENTS = {
    "plain-patient": "mst-os-path-panel/plain-patient",
    "fine-needle-aspiration": "mst-rule-biopsy-adequacy/gastric-mass-aspiration-alone",
    "gist-two-centimetres": "mst-gist/small-before-the-team-whole-pathway",
    "limb-sarcoma-before-surgery": "story-thigh-sarcoma/05-decided",
    "follow-up": "story-thigh-sarcoma/12-eighteen-months",
    "recurrence": "story-thigh-sarcoma/15-recurrence",
}
"""The name of a page, and the case whose patient it is about."""


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the file and the content of every page."""
    knowledge = Knowledge.shipped()
    for name, case_name in PATIENTS.items():
        case = read_case(CASES / f"{case_name}.json")
        yield from _pages(name, case, knowledge)


def _pages(name: str, case: Case, knowledge: Knowledge) -> Iterator[tuple[Path, str]]:
    request = request_of(case, knowledge.plan(case.pathway))
    for ending, reader in (("", "clinician"), ("-for-the-patient", "patient")):
        asked = replace(request, narrative=reader)  # type: ignore[arg-type]
        applied = apply_plan(asked, knowledge)
        text = care_plan_text(applied.care_plan())
        yield EXAMPLES / f"{name}{ending}.txt", text + "\n"
        yield EXAMPLES / f"{name}{ending}.html", applied.page() + "\n"


def main() -> int:
    """Write the pages, or tell which are out of date; return the exit code."""
    is_check = "--check" in sys.argv[1:]
    stale = []
    for path, content in pages():
        if path.exists() and path.read_text("utf-8") == content:
            continue
        stale.append(path.name)
        if not is_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
    print(f"{len(stale)} pages {'are out of date' if is_check else 'written'}", *stale)
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
