"""A run over many patients in figures: as JSON for programs, as a page with plots for people.

https://www.w3.org/TR/SVG11/ and https://www.w3.org/TR/svg-aam-1.0/

The page needs no script and no other host; each plot stands beside the table it is drawn from, so
that nothing is told by a picture or a colour alone.
"""

from functools import cache
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from carepath.formats.json import encode
from carepath.population.counts import Counts
from carepath.population.figures import OUTCOMES, Phases, PlanFigures, figures
from carepath.population.plots import bars, funnel, shares

_NO_PHASES: Phases = MappingProxyType({})


def summary_json(counts: Counts, phases: Phases = _NO_PHASES) -> bytes:
    """Return the figures as JSON; `phases` gives the order of the phases of each plan."""
    made = {
        "patients": counts.patients,
        "errors": counts.errors,
        "plans": [_plan(one) for one in figures(counts, phases)],
    }
    return encode(made, pretty=True)


def summary_html(counts: Counts, phases: Phases = _NO_PHASES) -> bytes:
    """Return the figures as a page; `phases` gives the order of the phases of each plan."""
    plans = figures(counts, phases)
    return (_template("summary.html").render(counts=counts, plans=plans).strip() + "\n").encode()


def funnel_html(counts: Counts, phases: Phases = _NO_PHASES) -> str:
    """Return the funnels of all plans as a part of a page, for a notebook."""
    return _template("funnel.html").render(plans=figures(counts, phases)).strip() + "\n"


def _plan(one: PlanFigures) -> dict[str, Any]:
    """Return the figures of one plan as JSON."""
    return {
        "plan": one.plan,
        "patients": one.patients,
        "phases": [
            {"phase": p.title, "patients": p.patients, "reached": p.reached} for p in one.phases
        ],
        "inNoPhase": one.elsewhere,
        "actions": [
            {"action": a.path, "title": a.title, **dict(zip(OUTCOMES, a.outcomes, strict=True))}
            for a in one.actions
        ],
        "missing": [
            {"fact": m.fact, "patients": m.patients, "actions": m.actions} for m in one.missing
        ],
    }


def _number(value: int) -> str:
    """Return a number with its thousands apart, as people read it."""
    return f"{value:,}"


@cache
def _template(name: str) -> Template:
    made = Environment(
        loader=PackageLoader("carepath.population", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(bars=bars, funnel=funnel, shares=shares, outcomes=OUTCOMES)
    made.filters["number"] = _number
    return made.get_template(name)
