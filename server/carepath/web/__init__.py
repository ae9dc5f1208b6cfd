"""The FHIR service over HTTP: `create_app(Config.from_env())` for any WSGI server.

Nothing but names is imported here, so that a command that does not serve starts without Flask.
"""

from typing import TYPE_CHECKING

from carepath.web.config import Config

if TYPE_CHECKING:
    from flask import Flask

    from carepath.knowledge import Knowledge

__all__ = ["Config", "create_app"]


def create_app(config: Config | None = None, knowledge: "Knowledge | None" = None) -> "Flask":
    """Return the application of one deployment, with its content loaded."""
    from carepath.web.app import create_app as create  # noqa: PLC0415  as said above

    return create(config, knowledge)
