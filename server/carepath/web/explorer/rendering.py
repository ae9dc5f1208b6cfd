"""The text of a page, from its template and its values.

https://jinja.palletsprojects.com/

Everything that is put into a template is escaped.  Nothing on a page comes from another host, and
no script or style stands inside of one.
"""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def text_of(template: str, **values: Any) -> str:
    """Return a page as text."""
    return _environment().get_template(template).render(**values)


@cache
def static_file(name: str) -> bytes:
    """Return a style, a script or an icon of the pages."""
    return (files("carepath.web.explorer") / "static" / name).read_bytes()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("carepath.web.explorer", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
