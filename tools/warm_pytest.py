"""Run pytest many times in one folder, each time in a fork of a process that knows the libraries.

Most of a short run of tests goes into importing what never changes.  The process imports that
once; it reads how long a run may take and its arguments as a line of JSON, and answers with the
exit code as a line.
Only forks import the code under test: a change of a file counts from the next run on.
"""

import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

LIBRARIES = (
    *("pytest", "_pytest.assertion.rewrite", "_pytest.junitxml", "_hypothesis_pytestplugin"),
    *("hypothesis", "hypothesis.strategies", "unittest.mock", "http.server", "uuid", "fractions"),
    *("flask", "flask.testing", "werkzeug.test", "httpx", "click.testing", "prometheus_client"),
    *("gunicorn.http.errors", "gunicorn.workers.gthread", "concurrent.futures"),
    *("msgspec", "jsonschema", "jsonschema_rs", "lxml.etree", "re2", "pydantic", "ucumvert"),
)
"""What the code or the tests import and what is no part of them."""

# A plugin that is there already cannot be rewritten, and need not be.
_WARNINGS = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


class WarmPytest:
    """A process that runs pytest in a folder, with the folder's `server` on the path."""

    OUTPUT = "pytest.txt"
    """The file in the folder that holds what the last run printed."""

    def __init__(self, folder: Path) -> None:
        # Without -P this folder would stand on the path, which pytest started in it does not see.
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "server")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments: Iterable[str], longest: float) -> int:
        """Return the exit code of pytest; a negative one when it took longer, in seconds."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps([longest, *_WARNINGS, *arguments]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        """Let the process end, once it has answered."""
        self._process.communicate()


def main() -> None:
    """Answer one line after another until there are no more."""
    for library in LIBRARIES:
        import_module(library)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        print(_forked(*json.loads(line)), flush=True)


def _forked(longest: float, *arguments: str) -> int | None:
    """Run pytest in a fork; return its exit code."""
    fork = multiprocessing.get_context("fork").Process(target=_run, args=arguments)
    fork.start()
    fork.join(longest)
    with suppress(ProcessLookupError):
        # The whole group, for a test may have started a service.
        os.killpg(fork.pid or 0, signal.SIGKILL)
    fork.join()
    return fork.exitcode


def _run(*arguments: str) -> None:
    import pytest  # noqa: PLC0415 - the library is not needed by those that start the process

    os.setsid()
    with open(WarmPytest.OUTPUT, "wb") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    code = pytest.main(list(arguments))
    sys.stdout.flush()
    # At once: what a change left running must not hold up the end.
    os._exit(code)


if __name__ == "__main__":
    main()
