"""Pages of the explorer as a browser asks for them."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).parents[3]
NOW = "2026-11-27T12:00:00+00:00"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ADDRESS = re.compile(r"""(?:href|src|action|srcset|data|poster)=["']([^"']*)""")


@pytest.fixture(scope="session")
def shipped() -> FlaskClient:
    """Return a client of a service with the shipped content."""
    return create_app(Config(now=NOW)).test_client()


@pytest.fixture
def service_of() -> Callable[..., FlaskClient]:
    """Return a function from definitions and settings to a client."""

    def make(*definitions: dict, **settings: object) -> FlaskClient:  # type: ignore[type-arg]
        config = Config(now=NOW, **settings)  # type: ignore[arg-type]
        return create_app(config, Knowledge.of(definitions)).test_client()

    return make


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
