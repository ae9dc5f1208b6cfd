"""The pages of a folder as files: those of the service, with links between files only."""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from lxml import html
from shown_pages import BROWSER, NOW, ROOT, seen, text_of

from carepath.command.main import main
from carepath.command.pages import content_of
from carepath.knowledge import Knowledge
from carepath.web import Config, create_app
from carepath.web.explorer.site import Content, pages_of

DESMOID = ROOT / "tests/authoring/desmoid"
ASSETS = {"assets/explorer.css", "assets/explorer.js", "assets/icon.svg"}
OWN = {"index.html", "pathways/desmoid-watch.html", "pathways/desmoid-watch.svg", *ASSETS}
SECTIONS = ("scope", "table", "conflicts", "statements", "cases")


@pytest.fixture(scope="module")
def shipped_site() -> dict[str, bytes]:
    return pages_of(content_of(ROOT / "pathways"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["pages", *arguments], catch_exceptions=False)


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_every_pathway_has_a_page_and_every_link_a_file(shipped_site: dict[str, bytes]) -> None:
    ids = {plan["id"] for plan in Knowledge.shipped().all("PlanDefinition")}
    made = {f"pathways/{id}.{kind}" for id in ids for kind in ("html", "svg")}
    assert set(shipped_site) == {"index.html", *made, *ASSETS}
    for path, data in shipped_site.items():
        if path.endswith(".html"):
            tree = html.fromstring(data)
            named = set(tree.xpath("//@id"))
            for link in tree.xpath("//@href | //@src"):
                file, _, anchor = str(link).partition("#")
                assert not re.match(r"\w+:|/", file), link
                there = posixpath.normpath(posixpath.join(posixpath.dirname(path), file))
                assert not file or there in shipped_site, (path, link)
                assert file or anchor in named, (path, link)


def test_a_page_shows_what_the_service_shows() -> None:
    served = create_app(Config(now=NOW, content=(str(DESMOID),))).test_client()
    page = seen(served.get("/pathways/desmoid-watch", headers=BROWSER))
    file = html.fromstring(pages_of(content_of(DESMOID))["pathways/desmoid-watch.html"])
    for section in SECTIONS:
        one, other = (text_of(tree, f"//section[h2/@id='{section}']") for tree in (page, file))
        assert one == other != []
    rows = "//section[h2/@id='cases']//tbody/tr"
    assert text_of(page, f"{rows}/th") == [
        "Nobody recorded symptoms: the MRI is not proposed, and symptoms are asked for."
        "desmoid-watch/symptoms-not-recorded",
        "A desmoid without symptoms is watched by MRI.desmoid-watch/watched",
    ]
    assert text_of(page, f"{rows}//li") == [
        "nothing is proposed",
        "desmoid-watch/mri waits for symptoms",
        "team is met",
        "proposed: mri-in-three-months",
        "nothing is undetermined",
    ]
    assert text_of(page, f"{rows}/td[last()]") == ["as expected"] * 2


def test_a_service_says_where_cases_are_that_it_does_not_have(
    shipped: FlaskClient, service_of: Callable[..., FlaskClient]
) -> None:
    where = "//section[h2/@id='cases']/p"
    page = seen(shipped.get("/pathways/mst-gist", headers=BROWSER))
    assert text_of(page, where) == [
        "Its cases lie beside the source of Carepath, in tests/cases: they are no part of what is "
        "installed."
    ]
    bare = service_of({"resourceType": "PlanDefinition", "id": "bare", "status": "draft"})
    page = seen(bare.get("/pathways/bare", headers=BROWSER))
    assert text_of(page, where) == ["No case of this pathway lies with its content."]


def test_a_broken_case_keeps_no_page_from_being_shown(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases/odd.json").write_text('{"about": 1}', "utf-8")
    client = create_app(Config(now=NOW, content=(str(tmp_path),))).test_client()
    seen(client.get("/pathways/mst-gist", headers=BROWSER))


def test_an_id_that_is_no_name_is_refused() -> None:
    plan = {"resourceType": "PlanDefinition", "id": "../x", "status": "draft"}
    with pytest.raises(Exception, match="has no id that can be the name of its page"):
        pages_of(Content("odd", (plan,), (), Knowledge.of([plan])))


def test_the_command_writes_files_and_takes_away_what_is_gone(tmp_path: Path) -> None:
    out = tmp_path / "html"
    for _ in range(2):
        result = run(str(DESMOID), "--out", str(out))
        told = f"2 pages; begin with {out / 'index.html'}\n"
        assert (result.exit_code, result.output) == (0, told)
    assert files(out) == OWN
    (tmp_path / "empty").mkdir()
    result = run(str(tmp_path / "empty"), "--out", str(out))
    assert (result.exit_code, files(out)) == (0, {"index.html", *ASSETS})
    assert "There is no PlanDefinition here yet." in (out / "index.html").read_text("utf-8")


def test_cases_from_elsewhere_are_shown_too(tmp_path: Path) -> None:
    out = tmp_path / "html"
    run(str(DESMOID / "content"), "--out", str(out), "--cases", str(DESMOID / "cases"))
    page = html.fromstring((out / "pathways/desmoid-watch.html").read_bytes())
    assert len(page.xpath("//section[h2/@id='cases']//tbody/tr")) == 2


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>Another site</h1>", "utf-8")
    result = run(str(DESMOID), "--out", str(tmp_path))
    assert (result.exit_code, result.output) == (
        1,
        f"error: The parameter `--out` is `{tmp_path}`; expected a new or an empty folder, or one "
        "that holds pages already.\n",
    )
    assert files(tmp_path) == {"index.html"}


def test_content_that_cannot_be_read_and_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    (tmp_path / "content/plan.json").write_text("{", "utf-8")
    result = run(str(tmp_path / "content"), "--out", str(tmp_path / "html"))
    assert result.exit_code == 1
    assert result.output.startswith("error: `plan.json` is broken at `line 1, column 2`")
    result = run(str(DESMOID), "--out", str(tmp_path / "content/plan.json/html"))
    assert result.exit_code == 1
    assert "cannot be written: Not a directory." in result.output
