"""Fill the generated parts of the pathways' READMEs: decision table, flow diagram, cases.

Usage: python tools/pathway_pages.py [--check]

A generated part stands between `<!-- generated:NAME -->` and `<!-- /generated -->`; everything
else in the page is written by hand.  With --check nothing is written and the exit code tells
whether a page is stale.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from carepath.authoring.markdown import table_row

ROOT = Path(__file__).parents[1]
PATHWAYS = ROOT / "pathways"
CASES = ROOT / "tests" / "cases"
PART = re.compile(r"<!-- generated:([a-z-]+) -->\n.*?<!-- /generated -->", re.DOTALL)
STRENGTH = "http://hl7.org/fhir/StructureDefinition/cqf-strengthOfRecommendation"
DIRECTION = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-directionOfRecommendation"

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
    """Return one row for each action: when, what, how strongly, on which statements."""
    rows = [
        "| action | applies when | proposes | behaviour | strength | statements |",
        "|" + "---|" * 6,
    ]
    for depth, action in _walk(plan.get("action", []), 0):
        title = "&nbsp;&nbsp;" * depth + action.get("title", action.get("id", ""))
        when = " **and** ".join(f"`{_expression(c)}`" for c in action.get("condition", []))
        statements = ", ".join(
            dict.fromkeys(d["label"] for d in action.get("documentation", []) if d.get("label"))
        )
        cells = [
            title,
            when or "always",
            _definition(action),
            _behaviour(action),
            _strength(action),
            statements,
        ]
        rows.append(table_row(cells))
    return "\n".join(rows)


def diagram(plan: Element) -> str:
    """Return the plan as a Mermaid flow diagram."""
    lines = ["```mermaid", "flowchart TD", f'  p["{_label(plan.get("title", plan["id"]))}"]']
    _draw(plan.get("action", []), "p", lines)
    return "\n".join([*lines, "```"])


def _draw(actions: list[Element], parent: str, lines: list[str]) -> None:
    """Add the nodes of a group; the edge says when, the shape says what."""
    for index, action in enumerate(actions):
        node = f"{parent}_{index}"
        title = _label(action.get("title", action.get("id", "")))
        definition = _definition(action)
        if "PlanDefinition/" in action.get("definitionCanonical", ""):
            shape = f'[["{title}"]]'
        elif definition:
            shape = f'(["{title}"])'
        else:
            shape = f'["{title}"]'
        against = _code(action, DIRECTION, "valueCodeableConcept") == "against"
        arrow = "-.->" if against or action.get("requiredBehavior") == "could" else "-->"
        when = _label(" and ".join(_expression(c) for c in action.get("condition", [])))
        edge = f'{arrow}|"{when}"|' if when else arrow
        lines.append(f"  {parent} {edge} {node}{shape}")
        _draw(action.get("action", []), node, lines)


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


def _walk(actions: list[Element], depth: int) -> Iterator[tuple[int, Element]]:
    for action in actions:
        yield depth, action
        yield from _walk(action.get("action", []), depth + 1)


def _expression(condition: Element) -> str:
    return str(condition["expression"].get("expression", ""))


def _label(text: str) -> str:
    """Return text that Mermaid can hold in quotes, not too long."""
    text = text.replace('"', "'").replace("|", "/").replace("`", "'")
    text = text.replace("<", "&lt;").replace(">", "&gt;")
    return text if len(text) <= 90 else text[:87] + "..."


def _definition(action: Element) -> str:
    canonical: str = action.get("definitionCanonical", "")
    return canonical.partition("|")[0].rpartition("/")[2]


def _behaviour(action: Element) -> str:
    keys = ("selectionBehavior", "requiredBehavior")
    return ", ".join(action[key] for key in keys if key in action)


def _code(action: Element, url: str, value: str) -> str:
    for extension in action.get("extension", []):
        if extension["url"] == url:
            concept = extension.get(value, {})
            coding = (concept.get("coding") or [{}])[0]
            return str(coding.get("code") or concept.get("text", ""))
    return ""


def _strength(action: Element) -> str:
    parts = (
        _code(action, STRENGTH, "valueCodeableConcept"),
        _code(action, DIRECTION, "valueCodeableConcept"),
    )
    return " ".join(part for part in parts if part)


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
        if fresh != text or not path.exists():
            stale.append(name)
            if not options.check:
                path.write_text(fresh, "utf-8")
    print(f"{len(stale)} of {len(plans())} pages {'stale' if options.check else 'written'}")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
