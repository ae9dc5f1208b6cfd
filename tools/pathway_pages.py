"""Fill the generated parts of the pathways' READMEs: decision table, picture, cases.

Usage: python tools/pathway_pages.py [--check]

A generated part stands between `<!-- generated:NAME -->` and `<!-- /generated -->`; everything
else in the page is written by hand.  With --check nothing is written and the exit code tells
whether a page is stale.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from carepath.apply.drawing import When, branches_of, drawing, outline_of
from carepath.authoring.markdown import table_row
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parents[1]
PATHWAYS = ROOT / "pathways"
CASES = ROOT / "tests" / "cases"
PICTURE = "drawing.svg"
PART = re.compile(r"<!-- generated:([a-z-]+) -->\n.*?<!-- /generated -->", re.DOTALL)

Element = dict[str, Any]


def plans() -> dict[str, Element]:
    """Return the plan of each pathway folder, by folder name."""
    files = sorted(PATHWAYS.glob("*/plan-definition.json"))
    return {path.parent.name: json.loads(path.read_text("utf-8")) for path in files}


def page(text: str, plan: Element) -> str:
    """Return the page with its generated parts made anew; parts that are missing are added."""
    for name, (heading, _) in PARTS.items():
        if f"<!-- generated:{name} -->" not in text:
            text += f"\n## {heading}\n\n<!-- generated:{name} -->\n<!-- /generated -->\n"

    def fresh(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- generated:{name} -->\n{PARTS[name][1](plan)}\n<!-- /generated -->"

    return PART.sub(fresh, text)


def decision_table(plan: Element) -> str:
    """Return the scope, and one row for each action: when, what, how strongly, who says so."""
    outline = outline_of(plan, Knowledge.shipped().find)
    scope = "; ".join(when.text for when in outline.scope)
    rows = [
        *([f"All of it only if: {scope}.", ""] if scope else []),
        "| action | applies when | proposes | behaviour | strength | statements |",
        "|" + "---|" * 6,
    ]
    for depth, branch in branches_of(outline.branches):
        word = " **or** " if branch.is_any else "; "
        behaviour = ", ".join(filter(None, (branch.choice, branch.required)))
        direction = "against" if branch.is_against else "for" if branch.strength else ""
        cells = [
            "&nbsp;&nbsp;" * depth + branch.title,
            word.join(_when(when) for when in branch.when) or "always",
            branch.definition,
            behaviour,
            " ".join(filter(None, (branch.strength, direction))),
            ", ".join(branch.sources),
        ]
        rows.append(table_row(cells))
    return "\n".join(rows)


def diagram(plan: Element) -> str:
    """Return a link to the picture of the plan."""
    return f"![What follows when: {plan.get('title', plan['id'])}](drawing.svg)"


def picture(plan: Element) -> str:
    """Return the picture of the plan as SVG."""
    return drawing(outline_of(plan, Knowledge.shipped().find))


def _when(when: When) -> str:
    """Return a condition in words; where nobody says what it is, the expression."""
    return when.text if when.is_described else f"`{when.text}`"


def cases(plan: Element) -> str:
    """Return the cases of the pathway with what they show."""
    files = sorted((CASES / plan["id"]).glob("*.json"))
    if not files:
        return "The cases of the pathways that use this plan test it."
    rows = ["| case | what it shows |", "|---|---|"]
    for path in files:
        about = json.loads(path.read_text("utf-8"))["about"].replace("|", "\\|")
        link = f"../../tests/cases/{plan['id']}/{path.name}"
        rows.append(f"| [{path.stem}]({link}) | {about} |")
    return "\n".join(rows)


PARTS: dict[str, tuple[str, Callable[[Element], str]]] = {
    "decision-table": ("Decision table", decision_table),
    "diagram": ("Flow", diagram),
    "cases": ("Cases", cases),
}


def main() -> int:
    """Write or check every page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    stale = []
    for name, plan in plans().items():
        path = PATHWAYS / name / "README.md"
        text = path.read_text("utf-8") if path.exists() else f"# {plan['title']}\n"
        fresh = page(text, plan)
        for file, made in ((path, fresh), (path.with_name(PICTURE), picture(plan))):
            if not file.exists() or file.read_text("utf-8") != made:
                stale.append(file)
                if not options.check:
                    file.write_text(made, "utf-8")
    total = 2 * len(plans())
    print(f"{len(stale)} of {total} pages and pictures {'stale' if options.check else 'written'}")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
