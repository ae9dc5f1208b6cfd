"""A case in words: what it expects, part by part, and what comes out otherwise."""

import json
import shutil
from pathlib import Path

from carepath.authoring.case_outcomes import MOST, CaseOutcome, CaseOutcomes, PlanCases, expected_of
from carepath.authoring.cases import case_files, read_case
from carepath.knowledge import Knowledge

DESMOID = Path(__file__).parent / "desmoid"
CASE = "cases/desmoid-watch/watched.json"
EVERY_PART = {
    "proposed": ["a", "b"],
    "undetermined": {"plan/x": ["one", "two"], "plan/y": []},
    "decisions": {"team": "met", "mri": "absent"},
    "facts": {"size": 3.4, "kinds": ["a"]},
    "issues": ["was not used"],
    "requests": [{"resourceType": "Task", "priority": "urgent"}],
}


def outcomes(folder: Path) -> PlanCases:
    knowledge = Knowledge.shipped().with_folder(folder)
    cases = CaseOutcomes([read_case(path) for path in case_files(folder)], knowledge)
    return cases.of(knowledge.plan("desmoid-watch"))


def written(folder: Path, name: str = CASE, **changes: object) -> None:
    case = json.loads((folder / CASE).read_text("utf-8")) | changes
    (folder / name).write_text(json.dumps(case), "utf-8")


def test_each_part_is_told_in_words(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DESMOID, tmp_path / "desmoid"))
    written(folder, expect=EVERY_PART)
    assert list(expected_of(read_case(folder / CASE))) == [
        "proposed: a, b",
        "plan/x waits for one, two",
        "plan/y is undetermined",
        "team is met",
        "mri is absent",
        "the fact size is 3.4",
        'the fact kinds is ["a"]',
        "an issue says: was not used",
        'a request has {"resourceType":"Task","priority":"urgent"}',
    ]
    written(folder, expect={"proposed": [], "undetermined": {}})
    assert list(expected_of(read_case(folder / CASE))) == [
        "nothing is proposed",
        "nothing is undetermined",
    ]


def test_a_case_says_what_comes_out_otherwise(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DESMOID, tmp_path / "desmoid"))
    assert [(case.name, case.wrong) for case in outcomes(folder).shown] == [
        ("desmoid-watch/symptoms-not-recorded", ()),
        ("desmoid-watch/watched", ()),
    ]
    written(folder, expect={"proposed": [], "undetermined": {}, "decisions": {"team": "met"}})
    assert outcomes(folder).shown[1] == CaseOutcome(
        name="desmoid-watch/watched",
        about="A desmoid without symptoms is watched by MRI.",
        expected=("nothing is proposed", "nothing is undetermined", "team is met"),
        wrong=(
            "`mri-in-three-months` is proposed and should not be",
            "`team` should be met, got not-met",
        ),
    )
    written(folder, given=[])
    (sentence,) = outcomes(folder).shown[1].wrong
    assert sentence.startswith("`desmoid-watch/watched.json` is broken at `given`: ")


def test_a_case_of_a_plan_that_is_not_here_is_nobodys(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DESMOID, tmp_path / "desmoid"))
    written(folder, pathway="elsewhere")
    assert [case.name for case in outcomes(folder).shown] == ["desmoid-watch/symptoms-not-recorded"]


def test_many_cases_are_not_all_run(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DESMOID, tmp_path / "desmoid"))
    for number in range(MOST + 1):
        written(folder, f"cases/desmoid-watch/x{number}.json")
    found = outcomes(folder)
    assert (len(found.shown), found.more) == (MOST, 3)
