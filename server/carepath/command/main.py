"""The `carepath` command: serve, apply, facts, list, show, fhirpath, validate, lint and so on.

Exit codes: 0 fine, 1 refused input or a check that failed, 2 wrong usage; `diff` has its own.
"""

import click

from carepath.command.apply import apply
from carepath.command.apply_many import apply_many
from carepath.command.audit import audit
from carepath.command.authorisation import authorisation
from carepath.command.check import check
from carepath.command.content import coverage, lint, test
from carepath.command.definitions import list_, show
from carepath.command.diff import diff
from carepath.command.facts import facts
from carepath.command.fhirpath import fhirpath
from carepath.command.make_patients import make_patients
from carepath.command.mutate import mutate
from carepath.command.new import new
from carepath.command.pages import pages
from carepath.command.serve import serve
from carepath.command.validate import validate
from carepath.command.watch import watch
from carepath.command.writings import json_, yaml_


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="carepath")
def main() -> None:
    """Apply clinical pathways to FHIR R4 bundles, and explain every decision."""


for command in (
    apply,
    apply_many,
    audit,
    authorisation,
    check,
    coverage,
    diff,
    facts,
    fhirpath,
    lint,
    list_,
    make_patients,
    mutate,
    new,
    pages,
    serve,
    show,
    test,
    validate,
    watch,
    json_,
    yaml_,
):
    main.add_command(command)
