"""The yardstick: a bare Flask view that parses, checks and encodes what it is sent.

It runs under the same gunicorn, with the same workers and threads, as the service.
"""

import sys

from flask import Flask, Response, request

from carepath.formats import json as json_codec
from carepath.validation import check_structure
from carepath.web.config import Config
from carepath.web.server.master import Application, logs


class Bare(Application):
    """The service's gunicorn application around one bare view."""

    def load(self) -> Flask:
        """Return the application with its one view."""
        app = Flask("bare")

        @app.post("/echo")
        def echo() -> Response:
            resource = json_codec.decode(request.get_data(cache=False))
            check_structure(resource, lenient=True)
            return Response(json_codec.encode(resource), content_type="application/fhir+json")

        check_structure({"resourceType": "Patient"})
        return app


if __name__ == "__main__":
    logs.configure("error")
    Bare(Config.from_env(port=int(sys.argv[1]))).run()
