"""The figures of many patients, as JSON and as a page with plots."""

import json
import re

from cohort import KNOWLEDGE, PATIENTS, PLAN_URL, rows_of
from lxml import etree

from carepath.population.counts import Counts
from carepath.population.figures import MissingFigure, PhaseFigure, figures, phases_of
from carepath.population.plots import WIDTH, bars, funnel, shares
from carepath.population.summary import funnel_html, summary_html, summary_json

COUNTS = Counts.of(rows_of(*PATIENTS))
PHASES = phases_of(KNOWLEDGE)


def _page(counts: Counts = COUNTS) -> etree._Element:
    return etree.HTML(summary_html(counts, PHASES))


def test_the_figures_as_json() -> None:
    (plan,) = json.loads(summary_json(COUNTS, PHASES))["plans"]
    actions = plan.pop("actions")
    assert plan == {
        "plan": PLAN_URL,
        "patients": 4,
        "phases": [
            {"phase": "Imaging", "patients": 2, "reached": 3},
            {"phase": "Team", "patients": 1, "reached": 1},
        ],
        "inNoPhase": 1,
        "missing": [{"fact": "swollen", "patients": 1, "actions": 3}],
    }
    assert [list(action.values()) for action in actions] == [
        ["knee/imaging", "Images & more", 2, 0, 1, 1],
        ["knee/imaging/mri", "MRI", 1, 1, 1, 0],
        ["knee/imaging/again", "MRI again", 1, 0, 0, 2],
        ["knee/advice", "Advice", 2, 0, 1, 1],
    ]
    assert list(actions[0]) == ["action", "title", "met", "done", "undetermined", "not-met"]


def test_actions_stand_in_the_order_of_the_plan_whoever_was_counted_first() -> None:
    early, late = Counts.of(rows_of("d")), Counts.of(rows_of("a"))
    orders = [[a.path for a in figures(c, {})[0].actions] for c in (early + late, late + early)]
    assert orders == [["knee/imaging", "knee/imaging/mri", "knee/imaging/again", "knee/advice"]] * 2


def test_a_phase_in_which_nobody_is_stands_in_the_funnel() -> None:
    (plan,) = figures(Counts.of(rows_of("b")), PHASES)
    assert plan.phases == (PhaseFigure("Imaging", 0, 1), PhaseFigure("Team", 1, 1))


def test_facts_that_block_most_patients_come_first() -> None:
    rows = [
        {**row, "patient": str(n), "missing": ["b", "a"] if n else ["b"]}
        for n in range(2)
        for row in rows_of("c")
    ]
    (plan,) = figures(Counts.of(rows), PHASES)
    assert [(m.fact, m.patients) for m in plan.missing] == [("b", 2), ("a", 1)]


def test_the_page_shows_each_figure_as_text() -> None:
    page = _page()
    cells = [
        [" ".join(cell.itertext()) for cell in row.iter("th", "td")] for row in page.iter("tr")
    ]
    assert ["Imaging", "2", "3"] in cells
    assert ["swollen", "1", "3"] in cells
    assert ["Images & more knee/imaging", "2", "0", "1", "1", ""] in cells


def test_the_page_needs_no_script_and_no_other_host() -> None:
    text = summary_html(COUNTS, PHASES).decode()
    namespaces = text.replace("http://www.w3.org/2000/svg", "").replace(PLAN_URL, "")
    assert re.findall(r"<script|<link|<img|https?://|@import|url\(", namespaces) == []


def test_each_plot_has_a_name_or_stands_for_nothing_alone() -> None:
    plots = list(_page().iter("svg"))
    assert len(plots) == 6
    for plot in plots:
        assert plot.get("aria-hidden") == "true" or plot.get("aria-label"), etree.tostring(plot)
    assert plots[0].get("aria-label") == "Funnel: Imaging 3, Team 1"


def test_a_summary_of_nobody_is_a_page_too() -> None:
    assert "Patients: 0. Errors: 0." in "".join(_page(Counts()).itertext())
    assert json.loads(summary_json(Counts())) == {"patients": 0, "errors": 0, "plans": []}


def test_a_text_of_content_is_only_text() -> None:
    rows = [{**row, "title": "<script>x</script>"} for row in rows_of("a")]
    assert b"<script>" not in summary_html(Counts.of(rows))


def test_a_bar_is_as_long_as_its_share() -> None:
    action = figures(COUNTS, PHASES)[0].actions[1]
    found = [(bar.name, bar.left, bar.width) for bar in shares(action, 4)]
    assert found == [
        ("met", "0", "100"),
        ("done", "100", "100"),
        ("undetermined", "200", "100"),
    ]


def test_the_longest_bar_fills_the_plot_and_the_shortest_can_be_seen() -> None:
    missing = [MissingFigure("a", 10_000, 1), MissingFigure("b", 1, 1), MissingFigure("c", 0, 0)]
    assert [bar.width for bar in bars(missing).bars] == [str(WIDTH), "1", "0"]


def test_bars_of_a_funnel_stand_in_the_middle() -> None:
    plot = funnel([PhaseFigure("a", 3, 4), PhaseFigure("b", 1, 1)])
    assert [(bar.left, bar.width) for bar in plot.bars] == [("0", "400"), ("150", "100")]


def test_the_same_counts_give_the_same_page() -> None:
    back = Counts.from_json(json.loads(json.dumps(COUNTS.to_json())))
    assert summary_html(back, PHASES) == summary_html(COUNTS, PHASES)


def test_a_notebook_shows_the_funnel_alone() -> None:
    text = funnel_html(COUNTS, PHASES)
    assert text.startswith("<figure>")
    assert "of whom it does not concern 1" in text
