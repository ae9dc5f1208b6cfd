"""`carepath check DIR`: all checks of one folder of content, and of nothing else."""

import sys
from collections.abc import Iterator
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
    from carepath.authoring.cases import read_case
    from carepath.authoring.folder_check import check_cases
    from carepath.authoring.lint import QUICK, key_of, lint
    from carepath.command.folders import loaded_from, not_read

    loaded = loaded_from([folder])
    findings = [*not_read([folder]), *lint(loaded.knowledge, loaded.files, loaded.files, QUICK)]
    severities = [finding.issue.is_error for finding in findings]
    lines = [str(finding) for finding in findings]
    cases = [read_case(path) for path in case_files(folder)]
    if any(severities):
        lines.append("The cases were not run: mend the errors first.")
    else:
        held = loaded.knowledge
        own = [d for t in held.types() for d in held.all(t) if key_of(d) in loaded.files]
        checked = check_cases(own, cases, held)
        severities += [told.severity == "error" for told in checked.told]
        lines += [str(told) for told in checked.told]
        lines += checked.tables if tables else ()
    errors = sum(severities)
    warnings = len(severities) - errors
    lines.append(
        f"{len(loaded.files)} definitions, {len(cases)} cases, {errors} errors, {warnings} warnings"
    )
    return Report(tuple(lines), errors, warnings)


def case_files(folder: Path) -> Iterator[Path]:
    """Yield the case files of a folder: those in folders named `cases`, in order."""
    from carepath.formats.files import ENDINGS

    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if (
            path.suffix in ENDINGS
            and "cases" in parts[:-1]
            and not any(part.startswith(".") for part in parts)
        ):
            yield path
