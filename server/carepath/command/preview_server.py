"""The preview of a folder: its pages on this machine, which show themselves anew after a change.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from socketserver import TCPServer
from threading import Condition, Thread
from typing import Any, Self
from urllib.parse import urlsplit

HOST = "127.0.0.1"
USUAL_PORT = 8090
_STILL_HERE = 15.0
"""After so many seconds without a change something is written, to notice who has gone."""
_SLOWEST = 30.0
"""So many seconds a client may take to ask or to read."""
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


@dataclass(frozen=True)
class Pages:
    """What is shown: files by their paths, and the page for a path at which there is none."""

    version: str
    files: Mapping[str, bytes]
    nothing: Callable[[str], bytes]


class Shown:
    """The pages of now, for all threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._is_over = False
        self._pages = Pages("", {}, lambda path: b"")

    @property
    def pages(self) -> Pages:
        """Return the pages of now."""
        return self._pages

    def show(self, pages: Pages) -> None:
        """Show other pages, and tell so to who waits."""
        with self._changed:
            self._pages = pages
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def later_than(self, version: str) -> str | None:
        """Wait a while for another version and return that of now; None when all is over."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_over or self._pages.version != version, _STILL_HERE
            )
            return None if self._is_over else self._pages.version


class PreviewServer:
    """Pages on this machine until the block ends; raises OSError for a port that is taken."""

    def __init__(self, port: int | None) -> None:
        """Listen on a port; without one on the usual one, or on any that is free."""
        self.shown = Shown()
        handler = partial(_Handler, self.shown)
        try:
            self._server = _Server((HOST, USUAL_PORT if port is None else port), handler)
        except OSError:
            if port is not None:
                raise
            self._server = _Server((HOST, 0), handler)
        self.address = f"http://{HOST}:{self._server.server_port}/"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shown.end()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        """Listen, without asking anybody for the name of this machine."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]


class _Handler(BaseHTTPRequestHandler):
    server_version = "carepath"
    sys_version = ""
    timeout = _SLOWEST

    def __init__(self, shown: Shown, *arguments: Any) -> None:
        self._shown = shown
        server: _Server = arguments[-1]
        self._port = server.server_port
        # Who goes away in the middle is nothing to tell of.
        with suppress(OSError):
            super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer with a page, or with what changes."""
        path = urlsplit(self.path).path.removeprefix("/")
        if not self._is_meant():
            # A page from elsewhere whose name leads here must not read what is shown.
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, ".txt", b"This is another host.\n")
        elif path == "changes":
            self._tell_changes()
        else:
            self._page(path or "index.html")

    def do_HEAD(self) -> None:
        """Answer as to GET, without the page."""
        self.do_GET()

    def _is_meant(self) -> bool:
        names = {f"{name}:{self._port}" for name in (HOST, "localhost")}
        return self.headers.get("Host") in names

    def _page(self, path: str) -> None:
        pages = self._shown.pages
        data = pages.files.get(path)
        if data is None:
            self._answer(HTTPStatus.NOT_FOUND, ".html", pages.nothing(path))
        else:
            self._answer(HTTPStatus.OK, PurePosixPath(path).suffix, data)

    def _answer(self, status: HTTPStatus, kind: str, data: bytes) -> None:
        self._head(status, _TYPES.get(kind, "text/plain; charset=utf-8"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _tell_changes(self) -> None:
        """Tell the version of now, and each later one: a page knows the one that it shows."""
        self._head(HTTPStatus.OK, "text/event-stream; charset=utf-8")
        self.end_headers()
        told = ""
        while self.command != "HEAD" and (version := self._shown.later_than(told)) is not None:
            self.wfile.write(f"data: {version}\n\n".encode() if version != told else b":\n\n")
            told = version

    def _head(self, status: HTTPStatus, content_type: str) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)

    def log_message(self, format: str, *_: Any) -> None:
        """Keep quiet: the terminal is for what the check finds."""
