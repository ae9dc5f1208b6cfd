"""The `carepath` command: serve, apply, facts, list, show, fhirpath, validate, lint and so on.

Exit codes: 0 fine, 1 refused input or a check that failed, 2 wrong usage.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from carepath.command.fhirpath import fhirpath
from carepath.errors import CarepathError, InvalidParameter, InvalidResource
from carepath.formats.json import decode, encode

REFUSED = 1


class AwareDateTime(click.ParamType[datetime]):
    """A moment with a time zone, as in `2026-03-31T09:15:00+04:00`."""

    name = "datetime"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment; a text without a zone is wrong usage."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"`{value}` is no date and time such as 2026-03-31T09:15:00+04:00")
        if moment.tzinfo is None:
            self.fail(f"`{value}` has no time zone; write 2026-03-31T09:15:00+04:00")
        return moment


@contextmanager
def _refusing() -> Iterator[None]:
    """Print an error of ours as a sentence and end with the exit code for refused input."""
    try:
        yield
    except InvalidResource as error:
        for issue in error.issues:
            place = f" ({', '.join(issue.expression)})" if issue.expression else ""
            click.echo(f"{issue.severity}: {issue.diagnostics}{place}", err=True)
        sys.exit(REFUSED)
    except CarepathError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(REFUSED)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="carepath")
def main() -> None:
    """Apply clinical pathways to FHIR R4 bundles, and explain every decision."""


main.add_command(fhirpath)

content_option = click.option(
    "--content",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder with further definitions; may be given several times.",
)


def _knowledge(content: tuple[Path, ...]) -> Any:
    """Return the shipped knowledge with the deployment's own folders."""
    from carepath.knowledge import Knowledge

    knowledge = Knowledge.shipped()
    for folder in content:
        knowledge = knowledge.with_folder(folder)
    return knowledge


@main.command()
@click.option("--host", default=None, help="Address to listen on; 127.0.0.1 unless configured.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help="Port; 8080 unless configured."
)
@click.option("--workers", type=click.IntRange(1, 256), default=None, help="Processes.")
@click.option(
    "--threads", type=click.IntRange(1, 256), default=None, help="Threads of each process."
)
@click.option("--base-url", default=None, help="The address under which clients reach the service.")
@content_option
def serve(**options: Any) -> None:
    """Run the FHIR service under gunicorn until it is told to stop."""
    from carepath.web.config import Config
    from carepath.web.gunicorn.server import serve as run

    given = {name: value for name, value in options.items() if value not in (None, ())}
    with _refusing():
        run(Config.from_env(**given))


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--pathway",
    default=None,
    help="Id or canonical of the plan; the one top-level plan when absent.",
)
@click.option(
    "--subject", default=None, help="The patient, as `Patient/x`, when the data holds several."
)
@click.option(
    "--now", type=AwareDateTime(), default=None, help="The moment to apply at; now when absent."
)
@click.option("--parameters", default="{}", help="A JSON object of deployment parameters by name.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["careplan", "bundle", "decisions", "text"]),
    default="careplan",
    show_default=True,
    help="What to print.",
)
@content_option
def apply(file: Any, output: str, content: tuple[Path, ...], **options: Any) -> None:
    """Apply a pathway to the bundle in FILE (`-` for standard input)."""
    with _refusing():
        applied = _applied(file.read(), _knowledge(content), **options)
        click.echo(_OUTPUTS[output](applied), nl=False)


def _applied(
    data: bytes,
    knowledge: Any,
    pathway: str | None,
    subject: str | None,
    now: datetime | None,
    parameters: str,
) -> Any:
    """Read, check and apply; raises errors of ours only."""
    from carepath.apply import apply_plan
    from carepath.command.reading import apply_request, read_data

    request = apply_request(
        read_data(data),
        knowledge,
        pathway=pathway,
        subject=subject,
        now=now or datetime.now().astimezone(),
        parameters=_parameters(parameters),
    )
    return apply_plan(request, knowledge)


def _parameters(text: str) -> dict[str, list[Any]]:
    """Return the deployment parameters of the command line as lists by name."""
    given = decode(text.encode())
    if not isinstance(given, dict):
        raise InvalidParameter("parameters", text, 'a JSON object such as {"source-s1": "off"}')
    return {name: value if isinstance(value, list) else [value] for name, value in given.items()}


def _text(applied: Any) -> str:
    from carepath.command.plan_text import care_plan_text

    return care_plan_text(applied.care_plan()) + "\n"


def _json(value: Any) -> str:
    return encode(value, pretty=True).decode()


_OUTPUTS: dict[str, Callable[[Any], str]] = {
    "careplan": lambda applied: _json(applied.care_plan()),
    "bundle": lambda applied: _json(applied.bundle()),
    "decisions": lambda applied: _json(applied.decisions_document()),
    "text": _text,
}


@main.command(name="facts")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--library",
    default=None,
    help="Id or canonical of the Library; the one that the plans name when absent.",
)
@click.option(
    "--subject", default=None, help="The patient, as `Patient/x`, when the data holds several."
)
@click.option("--now", type=AwareDateTime(), default=None, help="The moment; now when absent.")
@click.option("--parameters", default="{}", help="A JSON object of deployment parameters by name.")
@click.option("--all", "auxiliary", is_flag=True, help="Also the facts that only serve others.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@content_option
def facts_(file: Any, output: str, content: tuple[Path, ...], **options: Any) -> None:
    """Print every fact about the patient in FILE, and what was left out (`-` for standard input).

    For each fact: its value, the resources that it rests on, and why it is not known.
    """
    from carepath.command.facts_text import facts_json, facts_text

    with _refusing():
        report = _facts(file.read(), _knowledge(content), **options)
        text = facts_text(report) if output == "text" else _json(facts_json(report))
        click.echo(text, nl=False)


def _facts(
    data: bytes,
    knowledge: Any,
    *,
    library: str | None,
    subject: str | None,
    now: datetime | None,
    parameters: str,
    auxiliary: bool,
) -> Any:
    """Read, check and work out the facts; raises errors of ours only."""
    from carepath.command.facts_report import fact_library, facts_of, plan_of
    from carepath.command.reading import apply_request, read_data

    read = read_data(data)
    found = fact_library(library, knowledge)
    plan = plan_of(found)
    request = apply_request(
        read,
        knowledge.with_definitions([plan]),
        pathway=plan["id"],
        subject=subject,
        now=now or datetime.now().astimezone(),
        parameters=_parameters(parameters),
    )
    return facts_of(request, found, knowledge, auxiliary=auxiliary)


@main.command(name="list")
@click.option(
    "--type",
    "resource_type",
    default="PlanDefinition",
    show_default=True,
    help="The kind of definition.",
)
@content_option
def list_(resource_type: str, content: tuple[Path, ...]) -> None:
    """List the definitions: id, version and title."""
    with _refusing():
        for definition in _knowledge(content).all(resource_type):
            title = definition.get("title") or definition.get("name", "")
            click.echo(f"{definition['id']:<32} {definition.get('version', '-'):<8} {title}")


@main.command()
@click.argument("name")
@content_option
def show(name: str, content: tuple[Path, ...]) -> None:
    """Print the definition with this id or canonical (`Type/id` where ids are the same)."""
    with _refusing():
        click.echo(_json(_named(name, _knowledge(content))), nl=False)


def _named(name: str, knowledge: Any) -> Any:
    """Return the definition with this canonical or id; raises when there is none, or several."""
    found = knowledge.find(name)
    if found is not None:
        return found
    same = [d for kind in knowledge.types() for d in knowledge.all(kind) if d.get("id") == name]
    kinds = {definition["resourceType"] for definition in same}
    if len(kinds) > 1:
        expected = " or ".join(f"`{kind}/{name}`" for kind in sorted(kinds))
        raise InvalidParameter("NAME", name, expected)
    return knowledge.definition(kinds.pop(), name) if kinds else knowledge.resolve(name)


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--profile",
    multiple=True,
    help="Canonical of a profile to check against; several may be given.",
)
@content_option
def validate(file: Any, profile: tuple[str, ...], content: tuple[Path, ...]) -> None:
    """Check the resource in FILE against R4, its invariants and profiles."""
    from carepath.command.reading import read_resource
    from carepath.validation import validate as check

    with _refusing():
        knowledge = _knowledge(content)
        resource = read_resource(file.read(), check=False)
        issues = check(
            resource,
            definitions=lambda url: knowledge.find(url, resource_type="StructureDefinition"),
            terminology=knowledge.terminology,
            profiles=profile,
        )
    for issue in issues:
        click.echo(f"{issue.severity}: {', '.join(issue.expression) or '-'}: {issue.diagnostics}")
    errors = sum(issue.is_error for issue in issues)
    click.echo(f"{errors} errors, {len(issues) - errors} other issues")
    sys.exit(REFUSED if errors else 0)


@main.command()
@content_option
def lint(content: tuple[Path, ...]) -> None:
    """Check the clinical content: structure, expressions, canonicals, codes, safety rules."""
    from carepath.authoring.lint import lint as check

    with _refusing():
        knowledge = _knowledge(content)
        findings = check(knowledge)
    for finding in findings:
        click.echo(str(finding))
    errors = sum(finding.issue.is_error for finding in findings)
    click.echo(
        f"{_count(knowledge)} definitions, {errors} errors, {len(findings) - errors} warnings"
    )
    sys.exit(REFUSED if errors else 0)


def _count(knowledge: Any) -> int:
    return sum(len(knowledge.all(resource_type)) for resource_type in knowledge.types())


cases_option = click.option(
    "--cases",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("tests/cases"),
    show_default=True,
    help="The folder with the case files.",
)


@main.command()
@cases_option
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Write coverage.md and coverage.json there.",
)
@content_option
def coverage(cases: Path, write: Path | None, content: tuple[Path, ...]) -> None:
    """Report which statement is carried by what, and tested by which case."""
    from carepath.authoring.cases import read_cases
    from carepath.authoring.coverage import as_json, as_markdown, measure

    with _refusing():
        report = measure(_knowledge(content), read_cases(cases))
    if write:
        write.joinpath("coverage.md").write_text(as_markdown(report), "utf-8")
        write.joinpath("coverage.json").write_bytes(encode(as_json(report), pretty=True))
    for failure in report.failures:
        click.echo(f"error: {failure}")
    click.echo(report.summary)
    sys.exit(REFUSED if report.failures else 0)


@main.command()
@cases_option
@content_option
def test(cases: Path, content: tuple[Path, ...]) -> None:
    """Run the case files and tell which do not hold."""
    from carepath.authoring.cases import differences, read_cases, run_case

    failed = total = 0
    with _refusing():
        knowledge = _knowledge(content)
        for case in read_cases(cases):
            total += 1
            wrong = differences(case, run_case(case, knowledge))
            failed += bool(wrong)
            for text in wrong:
                click.echo(f"{case.name}: {text}")
    click.echo(f"{total - failed} passed, {failed} failed")
    sys.exit(REFUSED if failed or not total else 0)
