"""`carepath lint`, `coverage` and `test`: the checks of clinical content."""

import sys
from pathlib import Path

import click

from carepath.command.options import content_option, knowledge_of
from carepath.command.refusing import REFUSED, refusing
from carepath.formats.json import encode


@click.command()
@content_option
def lint(content: tuple[Path, ...]) -> None:
    """Check the clinical content: structure, expressions, canonicals, codes, safety rules."""
    from carepath.authoring.lint import lint as check
    from carepath.command.folders import loaded_from, not_read, shipped_files

    with refusing():
        loaded = loaded_from(content)
        files = {**shipped_files(), **loaded.files}
        findings = check(loaded.knowledge, files)
    found = [*not_read(content), *findings]
    for finding in found:
        click.echo(str(finding))
    errors = sum(finding.issue.is_error for finding in found)
    click.echo(f"{len(files)} definitions, {errors} errors, {len(found) - errors} warnings")
    sys.exit(REFUSED if errors else 0)


cases_option = click.option(
    "--cases",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("tests/cases"),
    show_default=True,
    help="The folder with the case files.",
)


@click.command()
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
    from carepath.authoring.findings import as_section, read_findings

    with refusing():
        report = measure(knowledge_of(content), read_cases(cases))
        findings = read_findings(write / "findings.tsv") if write else ()
    if write:
        page = as_markdown(report) + as_section(findings)
        write.joinpath("coverage.md").write_text(page, "utf-8")
        write.joinpath("coverage.json").write_bytes(encode(as_json(report), pretty=True))
    for failure in report.failures:
        click.echo(f"error: {failure}")
    click.echo(report.summary)
    sys.exit(REFUSED if report.failures else 0)


@click.command()
@cases_option
@content_option
def test(cases: Path, content: tuple[Path, ...]) -> None:
    """Run the case files and tell which do not hold."""
    from carepath.authoring.cases import differences, read_cases, run_case
    from carepath.command.folders import not_read

    failed = total = 0
    with refusing():
        knowledge = knowledge_of(content)
        for finding in not_read([cases]):
            failed, total = failed + 1, total + 1
            click.echo(str(finding))
        for case in read_cases(cases):
            total += 1
            wrong = differences(case, run_case(case, knowledge))
            failed += bool(wrong)
            for text in wrong:
                click.echo(f"{case.name}: {text}")
    click.echo(f"{total - failed} passed, {failed} failed")
    sys.exit(REFUSED if failed or not total else 0)
