"""A narrative becomes lines that a person can read on a terminal."""

from carepath.command.plan_text import care_plan_text

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def plan(inner: str) -> dict[str, object]:
    return {
        "resourceType": "CarePlan",
        "text": {"status": "generated", "div": f"<div {XHTML}>{inner}</div>"},
    }


def test_headings_lists_and_paragraphs() -> None:
    text = care_plan_text(
        plan(
            "<h2>Proposed</h2><ul><li>Surgery<ul><li>because <b>size</b> &lt; 2</li></ul></li></ul>"
            "<p>End</p>"
        )
    )
    assert text.splitlines() == ["Proposed", "--------", "- Surgery", "  - because size < 2", "End"]


def test_table_rows_are_lines() -> None:
    text = care_plan_text(plan("<table><tr><th>Fact</th><td>high</td></tr></table>"))
    assert text == "Fact | high"


def test_comments_are_left_out() -> None:
    assert care_plan_text(plan("<p>a<!-- hidden -->b</p>")) == "ab"


def test_an_outcome_gives_its_issues() -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "required", "diagnostics": "No Patient."}],
    }
    assert care_plan_text(outcome) == "error: No Patient."


def test_a_resource_without_narrative_is_said() -> None:
    assert care_plan_text({"resourceType": "CarePlan"}) == "This CarePlan has no narrative."


def test_numbered_lists_keep_their_numbers() -> None:
    text = care_plan_text(plan("<ol><li>Look<ul><li>twice</li></ul></li><li>Leap</li></ol>"))
    assert text.splitlines() == ["1. Look", "  - twice", "2. Leap"]


def test_numbers_of_footnotes_stand_in_brackets() -> None:
    assert care_plan_text(plan("<p>Operate.<sup>1, 2</sup></p>")) == "Operate. (1, 2)"
