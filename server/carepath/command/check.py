"""`carepath check DIR`: all checks of one folder of content, and of nothing else."""

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from carepath.command.refusing import REFUSED, refusing


@dataclass(frozen=True)
class Report:
    """What a check has found: its lines, and how many errors and warnings are among them."""

    lines: tuple[str, ...]
    errors: int
    warnings: int


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--strict", is_flag=True, help="End with 1 for warnings, too.")
@click.option("--tables", is_flag=True, help="Print the decision tables, with the cases in them.")
def check(folder: Path, strict: bool, tables: bool) -> None:
    """Check the definitions of a folder, its cases (folders named `cases`) and what they show."""
    with refusing():
        report = report_of(folder, tables=tables)
    for line in report.lines:
        click.echo(line)
    sys.exit(REFUSED if report.errors or (strict and report.warnings) else 0)


def report_of(folder: Path, *, tables: bool = False) -> Report:
    """Return what is to be told of a folder; raises ContentError for what cannot be read."""
    from carepath.authoring.cases import case_files, read_case
    from carepath.authoring.folder_check import check_cases
    from carepath.authoring.lint import QUICK, lint
    from carepath.command.folders import loaded_from, not_read, own_definitions

    loaded = loaded_from([folder])
    findings = [*not_read([folder]), *lint(loaded.knowledge, loaded.files, loaded.files, QUICK)]
    severities = [finding.issue.is_error for finding in findings]
    lines = [str(finding) for finding in findings]
    cases = [read_case(path) for path in case_files(folder)]
    if any(severities):
        lines.append("The cases were not run: mend the errors first.")
    else:
        checked = check_cases(own_definitions(loaded), cases, loaded.knowledge)
        severities += [told.severity == "error" for told in checked.told]
        lines += [str(told) for told in checked.told]
        lines += checked.tables if tables else ()
    errors = sum(severities)
    warnings = len(severities) - errors
    lines.append(
        f"{len(loaded.files)} definitions, {len(cases)} cases, {errors} errors, {warnings} warnings"
    )
    return Report(tuple(lines), errors, warnings)
