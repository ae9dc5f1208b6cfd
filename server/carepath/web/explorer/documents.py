"""The documentation that comes with the package, as pages: Markdown with its links.

https://spec.commonmark.org/ and https://github.github.com/gfm/#tables-extension-

A link that leads to no page of the documentation, such as one to a file beside the source, stands
there as text.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import TYPE_CHECKING

from flask import Response
from markupsafe import Markup, escape

from carepath.web.explorer.assets import tagged
from carepath.web.explorer.pages import page
from carepath.web.http.refusals import UnknownEndpoint

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_PACKAGE = "carepath.docs"
_FOLDERS = ("", "integration/")
_DRAWING = ".svg"
_WORDS = frozenset({"text", "code_inline"})
_PUNCTUATION = re.compile(r"[^\w\- ]")


def document(name: str) -> Response:
    """Show a page of the documentation, or a drawing in it; raises UnknownEndpoint."""
    if name not in documents():
        raise UnknownEndpoint("There is nothing at this URL.")
    if name.endswith(_DRAWING):
        response = tagged(Response(_text(name), content_type="image/svg+xml"))
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'"
        )
        return response
    title, text = rendered(name)
    return page("document.html", title=title, text=text)


@cache
def documents() -> Mapping[str, Traversable]:
    """Return what there is by its path; nothing where the documentation is not installed."""
    try:
        root = files(_PACKAGE)
    except ModuleNotFoundError:
        return {}
    return {
        f"{folder}{entry.name}": entry
        for folder in _FOLDERS
        if root.joinpath(folder).is_dir()
        for entry in sorted(root.joinpath(folder).iterdir(), key=lambda one: one.name)
        if entry.name.endswith((".md", _DRAWING))
    }


@cache
def rendered(name: str) -> tuple[str, Markup]:
    """Return the title of a page and its HTML."""
    reader = _reader()
    tokens = reader.parse(_text(name))
    titles = list(_with_ids(tokens))
    for token in tokens:
        _mend_links(token.children or (), posixpath.dirname(name))
    html = reader.renderer.render(tokens, reader.options, {})
    return (titles or [name])[0], Markup(html)  # noqa: S704 - the renderer escapes every text


def _text(name: str) -> str:
    return documents()[name].read_text("utf-8")


@cache
def _reader() -> "MarkdownIt":
    # Whoever reads no page needs none of its sixty modules.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    rules = reader.renderer.rules  # type: ignore[attr-defined]
    # Of HTML only the break of a line is HTML: a cell of a table has no other way to have one.
    rules["html_inline"] = rules["html_block"] = lambda tokens, at, *_: (
        "<br>" if tokens[at].content == "<br>" else str(escape(tokens[at].content))
    )
    rules["fence"] = rules["code_block"] = lambda tokens, at, *_: (
        f'<pre tabindex="0"><code>{escape(tokens[at].content)}</code></pre>\n'
    )
    return reader


def _with_ids(tokens: "Sequence[Token]") -> Iterator[str]:
    """Give each heading the id by which links name it; yield the texts of the headings."""
    used: dict[str, int] = {}
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            text = "".join(one.content for one in token.children or () if one.type in _WORDS)
            slug = _PUNCTUATION.sub("", text.lower()).replace(" ", "-")
            count = used[slug] = used.get(slug, -1) + 1
            before.attrSet("id", f"{slug}-{count}" if count else slug)
            yield text


def _mend_links(tokens: "Sequence[Token]", folder: str) -> None:
    """Let links and pictures that lead to no page be text."""
    kept: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            kept.append(_leads(str(token.attrGet("href")), folder))
        elif token.type == "image" and not _leads(str(token.attrGet("src")), folder):
            token.type, token.tag, token.children = "text", "", None
        if token.type in ("link_open", "link_close") and not kept[-1]:
            token.tag, token.attrs = "span", {}
        if token.type == "link_close":
            kept.pop()


def _leads(address: str, folder: str) -> bool:
    """Tell whether an address leads to a place on a page, or to another page."""
    file = address.partition("#")[0]
    return not file or posixpath.normpath(posixpath.join(folder, file)) in documents()
