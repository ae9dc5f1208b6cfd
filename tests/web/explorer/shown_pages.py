"""What holds for every page of the explorer, and how a browser asks for one."""

import re
from pathlib import Path

from lxml import html
from werkzeug.test import TestResponse

ROOT = Path(__file__).parents[3]
NOW = "2026-11-27T12:00:00+00:00"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ADDRESS = re.compile(r"""(?:href|src|action|srcset|data|poster)=["']([^"']*)""")


def seen(response: TestResponse, status: int = 200) -> html.HtmlElement:
    """Return a page as a tree, after what holds for every page."""
    assert response.status_code == status, response.text[:400]
    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == CSP
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    elsewhere = [a for a in _ADDRESS.findall(response.text) if re.match(r"\w+:|//", a)]
    assert elsewhere == []
    tree = html.fromstring(response.text)
    assert (
        tree.xpath("//*[@style] | //style | //script[not(@src)] | //@*[starts-with(name(),'on')]")
        == []
    )
    assert [len(tree.xpath(f"//{name}")) for name in ("main", "header", "footer", "h1")] == [1] * 4
    ids = tree.xpath("//@id")
    assert sorted(set(ids)) == sorted(ids)
    inside = {a[1:] for a in tree.xpath("//a/@href") if a.startswith("#")}
    assert inside <= set(ids)
    return tree


def text_of(tree: html.HtmlElement, path: str) -> list[str]:
    """Return the texts of some elements, spaces folded."""
    return [" ".join(found.text_content().split()) for found in tree.xpath(path)]
