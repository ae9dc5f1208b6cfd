"""A comparison as a page, in Markdown or HTML.

https://jinja.palletsprojects.com/ and https://spec.commonmark.org/

Both are made of templates.  In HTML everything that is put in is escaped, in Markdown what could
end a cell or become markup.
"""

import re
from functools import cache
from html import escape

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from carepath.authoring.compare.report import Comparison, words_of

_MARKUP = re.compile(r"([\\`*_\[\]|#~])")


def as_html(comparison: Comparison) -> str:
    """Return a comparison as an HTML document without anything from elsewhere."""
    return _filled("comparison.html", comparison)


def as_markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown."""
    return _filled("comparison.md", comparison)


def _filled(name: str, comparison: Comparison) -> str:
    return _environment().get_template(name).render(comparison=comparison)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("carepath.authoring.compare", "templates"),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters |= {"differs": words_of, "md": _as_markdown}
    return made


def _as_markdown(text: str) -> str:
    """Return a text that stands in one line of Markdown as it is."""
    return _MARKUP.sub(r"\\\1", escape(" ".join(text.split()), quote=False))
