"""How a command ends when it refuses: sentences on standard error, and the exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from carepath.errors import CarepathError, InvalidResource

REFUSED = 1
"""The exit code for refused input and for a check that failed; click's own 2 is wrong usage."""

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""

DIFFERENT, TROUBLE = 1, 2
"""The exit codes of a comparison, as those of `diff`: what was refused is no difference."""


@contextmanager
def refusing(code: int = REFUSED) -> Iterator[None]:
    """Print an error of ours as a sentence and end with the exit code for refused input."""
    try:
        yield
    except InvalidResource as error:
        for issue in error.issues:
            place = f" ({', '.join(issue.expression)})" if issue.expression else ""
            click.echo(f"{issue.severity}: {issue.diagnostics}{place}", err=True)
        sys.exit(code)
    except CarepathError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(code)
