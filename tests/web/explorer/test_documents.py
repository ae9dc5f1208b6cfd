"""The documentation as pages: every page, every link, and nothing that is not there."""

import posixpath
from importlib.resources import files

import pytest
from flask.testing import FlaskClient
from lxml import html
from shown_pages import BROWSER, ROOT, seen, text_of

from carepath.web.explorer import documents

PAGES = sorted(
    path.relative_to(ROOT / "docs").as_posix()
    for folder in (ROOT / "docs", ROOT / "docs/integration")
    for path in folder.glob("*.md")
)


def page(client: FlaskClient, name: str) -> html.HtmlElement:
    return seen(client.get(f"/docs/{name}", headers=BROWSER))


def test_every_page_of_the_documentation_is_there() -> None:
    assert sorted(documents.documents()) == sorted([*PAGES, "architecture.svg"])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_and_its_links_lead_somewhere(shipped: FlaskClient, name: str) -> None:
    tree = page(shipped, name)
    first = (ROOT / "docs" / name).read_text("utf-8").splitlines()[0]
    assert text_of(tree, "//h1") == [first.removeprefix("# ").replace("`", "")]
    for link in tree.xpath("//article//@href | //article//@src"):
        file, _, anchor = str(link).partition("#")
        there = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
        assert there in documents.documents(), link
        if anchor:
            assert anchor in page(shipped, there).xpath("//@id"), link


def test_a_link_to_a_file_beside_the_source_is_text(shipped: FlaskClient) -> None:
    tree = page(shipped, "explorer.md")
    found = [span for span in tree.xpath("//article//span") if span.text == "examples"]
    assert [dict(span.attrib) for span in found] == [{}]


def test_only_breaks_are_html(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# A `b`\n\n<b>x</b> y<br>z [out](https://elsewhere.example) ![p](none.png)\n\n"
    text += "## A b\n\n```\n<i>\n```\n\n<script>1"
    monkeypatch.setattr(documents, "_text", lambda name: text)
    title, made = documents.rendered.__wrapped__("some.md")
    assert title == "A b"
    assert made == (
        '<h1 id="a-b">A <code>b</code></h1>\n'
        "<p>&lt;b&gt;x&lt;/b&gt; y<br>z <span>out</span> p</p>\n"
        '<h2 id="a-b-1">A b</h2>\n'
        '<pre tabindex="0"><code>&lt;i&gt;\n</code></pre>\n'
        "&lt;script&gt;1"
    )


@pytest.mark.parametrize("name", ["none.md", "../pyproject.toml", "findings.tsv", "__init__.py"])
def test_nothing_else_is_served(shipped: FlaskClient, name: str) -> None:
    seen(shipped.get(f"/docs/{name}", headers=BROWSER), 404)


def test_the_front_page_links_what_is_there(
    shipped: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = seen(shipped.get("/", headers=BROWSER))
    links = [str(a).removeprefix("/docs/") for a in tree.xpath("//td/a/@href")]
    assert (len(links), set(links) - set(PAGES)) == (7, set())
    documents.documents.cache_clear()
    monkeypatch.setattr(documents, "_PACKAGE", "carepath.none")
    try:
        tree = seen(shipped.get("/", headers=BROWSER))
        assert tree.xpath("//td/a/@href") == []
        assert text_of(tree, "//td/code") == [f"docs/{name}" for name in links]
        seen(shipped.get("/docs/http-api.md", headers=BROWSER), 404)
    finally:
        documents.documents.cache_clear()


def test_the_drawing_of_the_rooms_is_shown(shipped: FlaskClient) -> None:
    answer = shipped.get("/docs/architecture.svg", headers=BROWSER)
    drawing = (files("carepath.docs") / "architecture.svg").read_bytes()
    assert (answer.status_code, answer.content_type) == (200, "image/svg+xml")
    assert answer.data == drawing
