"""The pages of a folder of content as files, which need no service: links between them only.

https://www.rfc-editor.org/rfc/rfc3986#section-4.2
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carepath.apply.drawing import drawing
from carepath.authoring.case_outcomes import CaseOutcomes
from carepath.authoring.cases import Case
from carepath.authoring.reach import reached_from
from carepath.authoring.statements import is_statement_system
from carepath.errors import InvalidContent
from carepath.knowledge import Knowledge
from carepath.resources import Resource
from carepath.web.explorer.addresses import Files
from carepath.web.explorer.pathway_values import front_values, pathway_values
from carepath.web.explorer.plans import Plans
from carepath.web.explorer.rendering import static_file, text_of

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
FRONT = "index.html"


@dataclass(frozen=True)
class Content:
    """What there are pages of: the definitions of a folder, and its cases."""

    name: str
    own: tuple[Resource, ...]
    cases: tuple[Case, ...]
    knowledge: Knowledge
    """The definitions of the folder with all others that they may lead to."""


@dataclass(frozen=True)
class Preview:
    """What a preview says beside its pages; `version` is another one after each change."""

    version: str
    lines: tuple[str, ...]
    """What the check has found, a sentence each."""
    summary: str
    has_errors: bool


def pages_of(content: Content, preview: Preview | None = None) -> dict[str, bytes]:
    """Return the pages of the plans of a folder, and of what they lead to, by their paths.

    Raises InvalidContent for an id that can be no name of a file.
    """
    near = _near(content)
    plans = Plans(near)
    cases = CaseOutcomes(content.cases, content.knowledge)
    shared = {"notices": plans.disclaimers, "preview": preview, "name": content.name}
    front = front_values(plans)
    made = {FRONT: _page("front.html", Files(), FRONT, {**shared, **front})}
    for plan in _with_pages(plans, near):
        path = f"pathways/{plan['id']}"
        values = pathway_values(plan, plans, cases.of(plan))
        made[f"{path}.html"] = _page(
            "pathway.html", Files("../"), f"{path}.html", {**shared, **values}
        )
        made[f"{path}.svg"] = drawing(plans.outline(plan), "narrow").encode()
    names = ("explorer.css", "explorer.js", "icon.svg", *(("preview.js",) if preview else ()))
    return made | {f"assets/{name}": static_file(name) for name in names}


def page_of_nothing(name: str, path: str, preview: Preview) -> bytes:
    """Return the page for a path at which there is none."""
    shared = {"notices": (), "preview": preview, "name": name}
    sentence = f"There is no page `{path}` in this folder now."
    issues = [{"severity": "error", "diagnostics": sentence}]
    values = {"phrase": "Not Found", "code": 404, "issues": issues}
    up = "../" * path.count("/")
    return _page("failure.html", Files(up), path, {**shared, **values})


def _page(template: str, at: Files, here: str, values: Mapping[str, Any]) -> bytes:
    return text_of(template, at=at, root="", here=here, **values).encode()


def _near(content: Content) -> Knowledge:
    """Return the plans of a folder with all that they lead to, and what statements say."""
    own = [one for one in content.own if one["resourceType"] == "PlanDefinition"]
    systems = (d for d in content.knowledge.all("CodeSystem") if is_statement_system(d))
    return Knowledge.of([*reached_from(own, content.knowledge), *systems])


def _with_pages(plans: Plans, near: Knowledge) -> Iterator[Resource]:
    """Yield the plans that have a page: of several versions the newest, as a service shows it."""
    for id_ in dict.fromkeys(str(plan.get("id", "")) for plan in (*plans.entries, *plans.parts)):
        if not _ID.fullmatch(id_):
            reason = "it has no id that can be the name of its page: letters, digits, `-` and `.`"
            raise InvalidContent(f"PlanDefinition/{id_}", "id", reason)
        yield near.plan(id_)
