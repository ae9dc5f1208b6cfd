"""What a notebook and a prompt show of an application."""

from small import NOW, PATIENT, plan, when

from carepath.apply import Applied, ApplyRequest, apply_plan
from carepath.apply.page.setting import narrative
from carepath.knowledge import Knowledge
from carepath.record import Record

PLAN = plan(
    {"id": "a", "title": "<b>A</b>", "condition": when("%patient.gender = 'female'")},
    {"id": "b", "condition": when("%patient.gender = 'male'")},
    {"id": "c", "condition": when("%patient.deceased")},
    {"id": "d", "condition": when("%patient.exists()")},
)


def of(**asked: str) -> Applied:
    request = ApplyRequest(PLAN, Record.of(PATIENT), NOW, **asked)  # type: ignore[arg-type]
    return apply_plan(request, Knowledge.of([PLAN]))


def test_a_prompt_shows_plan_and_outcomes_in_one_line() -> None:
    assert repr(of()) == (
        "<Applied http://x/PlanDefinition/plan|1: 2 met, 1 not-met, 1 undetermined>"
    )


def test_a_notebook_shows_the_narrative() -> None:
    one = of()
    assert one._repr_html_() == one.care_plan()["text"]["div"]
    assert "&lt;b&gt;A&lt;/b&gt;" in one._repr_html_()


def test_a_notebook_shows_the_page_for_the_reader_whatever_is_explained() -> None:
    one = of(narrative="patient", explain="none")
    assert "text" not in one.care_plan()
    assert one._repr_html_() == narrative(one.sheet, "patient")["div"]
