"""`carepath mutate` tells which mistakes in a folder no case of it would notice."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from carepath.command.main import main

DESMOID = Path(__file__).parents[1] / "authoring/desmoid"
SURVIVOR = "desmoid-facts|0.1.0: fact sizeCm emptied: {}"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["mutate", *arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DESMOID, tmp_path / "desmoid"))


def listed(folder: Path, *mutants: str) -> str:
    entries = [{"mutant": name, "reason": "Nobody could see it."} for name in mutants]
    file = folder.parent / "equivalent.json"
    file.write_text(json.dumps(entries), "utf-8")
    return str(file)


def test_a_survivor_is_named(folder: Path) -> None:
    told = f"survived: {SURVIVOR}\n11 mutants, 1 survived\n"
    assert run(str(folder)) == (1, told, "")
    assert run(str(folder), "--only", "fact sizeCm") == (1, told.replace("11", "1"), "")
    assert run(str(folder), "--only", "team") == (0, "3 mutants, 0 survived\n", "")
    assert run(str(folder), "--only", "nobody") == (0, "0 mutants, 0 survived\n", "")


def test_a_limit_is_spread_over_all(folder: Path) -> None:
    assert run(str(folder), "--limit", "1") == (0, "1 mutants, 0 survived\n", "")
    code, printed, _ = run(str(folder), "--limit", "10")
    assert (code, printed.splitlines()[-1].split(",")[0]) == (1, "10 mutants")


def test_equivalents_are_left_out_and_held_to_it(folder: Path) -> None:
    assert run(str(folder), "--equivalent", listed(folder, SURVIVOR)) == (
        0,
        "11 mutants, 0 survived\n",
        "",
    )
    noticed = "desmoid-watch|0.1.0: team negated: (%growth = 'growing').not()"
    code, printed, _ = run(str(folder), "--equivalent", listed(folder, SURVIVOR, noticed))
    assert (code, printed) == (
        1,
        f"not equivalent, a case notices it: {noticed}\n11 mutants, 0 survived\n",
    )
    assert run(str(folder), "--equivalent", listed(folder, "none")) == (
        2,
        "",
        f"error: `{folder.parent / 'equivalent.json'}` is broken at `mutant`: there is no mutant "
        "`none`.\n",
    )


def test_cases_may_lie_elsewhere(folder: Path) -> None:
    content, cases = str(folder / "content"), str(folder / "cases")
    reason = "there is no case, so nothing would be noticed"
    assert run(content) == (2, "", f"error: `{content}` is broken at `cases`: {reason}.\n")
    assert run(content, "--cases", cases)[1].splitlines()[-1] == "11 mutants, 1 survived"


def test_cases_that_do_not_hold_are_mended_first(folder: Path) -> None:
    case = folder / "cases/desmoid-watch/watched.json"
    case.write_text(case.read_text("utf-8").replace('"mri-in-three-months"', ""), "utf-8")
    assert run(str(folder)) == (
        2,
        "",
        "error: `desmoid-watch/watched` is broken at `expect`: it does not hold before any change: "
        "`mri-in-three-months` is proposed and should not be.\n",
    )


def test_the_time_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 100_000, 2))
    monkeypatch.setattr("carepath.command.mutate.time.monotonic", lambda: float(next(ticks)))
    code, printed, told = run(str(folder), "--seconds", "200")
    tried = int(printed.split()[-4])
    assert (code, 0 < tried < 11) == (2, True)
    assert told.splitlines()[0] == "1 of 11 tried"
    assert told.splitlines()[-1] == f"error: The time is up; {11 - tried} were not tried."
