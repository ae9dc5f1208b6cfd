"""`carepath serve`: the FHIR service."""

import gc
from typing import Any

import click

from carepath.command.options import content_option
from carepath.command.refusing import refusing


@click.command()
@click.option("--host", default=None, help="Address to listen on; 127.0.0.1 unless configured.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help="Port; 8080 unless configured."
)
@click.option("--workers", type=click.IntRange(1, 256), default=None, help="Processes.")
@click.option(
    "--threads", type=click.IntRange(2, 256), default=None, help="Threads of each process."
)
@click.option("--base-url", default=None, help="The address under which clients reach the service.")
@content_option
def serve(**options: Any) -> None:
    """Run the FHIR service until it is told to stop."""
    # Nearly all that is loaded and made at the start is kept: looking for the rest would take a
    # fifth of it.
    gc.disable()
    from carepath.web.config import Config
    from carepath.web.server.master import serve as run

    given = {name: value for name, value in options.items() if value not in (None, ())}
    with refusing():
        run(Config.from_env(**given))
