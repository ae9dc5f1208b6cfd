"""Set a sheet in words and lines: Jinja2 templates that a hospital can replace.

https://hl7.org/fhir/R4/narrative.html and https://jinja.palletsprojects.com/

Everything that is put into a template is escaped.  A template for a language stands beside the
others with the language in its name (`clinician.de.xhtml`); the own folder of a deployment comes
before the one that is shipped.
"""

from functools import lru_cache
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    TemplateSyntaxError,
    select_autoescape,
)
from markupsafe import Markup

from carepath.apply.page.sheet import Sheet
from carepath.apply.page.strip import strip
from carepath.errors import InvalidTemplate
from carepath.fhirpath.narrative import is_safe_narrative

XHTML = "http://www.w3.org/1999/xhtml"
_ENDINGS = ("xhtml", "html", "svg")


def narrative(sheet: Sheet, reader: str, folder: str = "") -> dict[str, str]:
    """Return the Narrative for a reader, `clinician` or `patient`.

    `folder` holds templates that come before those that are shipped.  Raises InvalidTemplate when
    one is broken, or gives what FHIR does not allow in a narrative.
    """
    name = f"{reader}.xhtml"
    div = f'<div xmlns="{XHTML}">{_filled(name, sheet, folder)}</div>'
    if folder and not is_safe_narrative(div):
        raise InvalidTemplate(name, "it gives what a narrative must not hold, or is not closed")
    return {"status": "generated", "div": div}


def document(sheet: Sheet, reader: str, folder: str = "") -> str:
    """Return the page for a reader as an HTML document, ready to be printed on A4."""
    body = Markup(_filled(f"{reader}.xhtml", sheet, folder))  # noqa: S704 - set by a template
    return _filled("page.html", sheet, folder, reader=reader, body=body)


def forget_templates() -> None:
    """Let templates be read once more when they are next wanted."""
    _template.cache_clear()
    _environment.cache_clear()


def _filled(name: str, sheet: Sheet, folder: str, **more: str) -> str:
    """Return what a template makes of a sheet; a template may fail in any way."""
    try:
        template = _template(name, sheet.language, folder)
        return template.render(sheet=sheet, language=sheet.language, **more).strip()
    except TemplateSyntaxError as error:
        raise InvalidTemplate(name, f"line {error.lineno}: {_words(error)}") from error
    except Exception as error:
        raise InvalidTemplate(name, _words(error)) from error


def _words(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__


@lru_cache(maxsize=64)
def _template(name: str, language: str, folder: str) -> Template:
    """Return a template in a language, in the language without its region, or the one for all."""
    stem, _, ending = name.rpartition(".")
    languages = dict.fromkeys(filter(None, (language, language.partition("-")[0])))
    # Jinja2 finds nothing outside of its folders, whatever a language is called.
    names = [f"{stem}.{code}.{ending}" for code in languages]
    return _environment(folder).select_template([*names, name])


@lru_cache(maxsize=8)
def _environment(folder: str) -> Environment:
    shipped = PackageLoader("carepath.apply.page", "templates")
    own = [FileSystemLoader(Path(folder))] if folder else []
    made = Environment(
        loader=ChoiceLoader([*own, shipped]),
        autoescape=select_autoescape(_ENDINGS, default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["strip"] = strip
    return made
