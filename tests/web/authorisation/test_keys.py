"""Public keys at an address: when they are read, what becomes of new ones, what is never asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import RSAKey
from known_clients import ec_key, key_set, rsa_key  # type: ignore[import-not-found]

from carepath.web.authorisation.keys import InvalidKeys, Keys, NoKeys

URL = "https://keys.example/jwks"


class Elsewhere:
    """An address of keys, with a clock."""

    def __init__(self, *keys: Any) -> None:
        self.keys, self.now, self.asked = keys, 1_000.0, 0
        self.fails = False

    def fetch(self, url: str) -> bytes:
        assert url == URL
        self.asked += 1
        if self.fails:
            raise NoKeys
        return json.dumps(key_set(*self.keys)).encode()

    def read(self) -> Keys:
        return Keys({}, URL, ("keys.example",), lambda: self.now, self.fetch)


def test_keys_are_read_when_they_are_wanted_and_again_after_five_minutes() -> None:
    there = Elsewhere(ec_key("a"))
    keys = there.read()
    assert there.asked == 0
    for seconds, asked in ((0, 1), (10, 1), (280, 1), (20, 2)):
        there.now += seconds
        assert [key.kid for key in keys.of("a")] == ["a"]
        assert there.asked == asked


def test_a_new_key_is_found_at_once_but_not_asked_for_without_end() -> None:
    there = Elsewhere(ec_key("a"))
    keys = there.read()
    assert keys.of("a")
    there.keys = (ec_key("b"),)
    there.now += 31
    assert keys.of("b")
    assert keys.of("a") == ()
    asked = there.asked
    for number in range(1_000):
        assert keys.of(f"made-up-{number}") == ()
    assert there.asked == asked


def test_keys_go_on_for_a_day_when_the_address_does_not_answer() -> None:
    there = Elsewhere(ec_key("a"))
    keys = there.read()
    assert keys.of("a")
    there.fails = True
    there.now += 86_000
    assert keys.of("a")
    there.now += 1_000
    with pytest.raises(NoKeys):
        keys.of("a")
    there.fails = False
    there.now += 31
    assert keys.of("a")


def test_without_keys_nobody_is_let_in() -> None:
    there = Elsewhere(ec_key("a"))
    there.fails = True
    with pytest.raises(NoKeys):
        there.read().of("a")


def test_a_set_elsewhere_may_hold_keys_that_are_not_understood() -> None:
    there = Elsewhere(ec_key("a"))
    strange = [{"kty": "AKP", "kid": "pq"}, {"kty": "EC", "kid": "x"}, {"kty": "oct", "k": "AA"}, 7]
    made = json.dumps({"keys": [*strange, *key_set(ec_key("a"), rsa_key("r"))["keys"]]}).encode()
    keys = Keys({}, URL, ("keys.example",), lambda: there.now, lambda _: made)
    assert [len(keys.of(kid)) for kid in ("a", "r", "pq", "x")] == [1, 1, 0, 0]


def test_a_weak_key_is_refused() -> None:
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024, {"kid": "w"}, private=True)
    with (
        pytest.warns(SecurityWarning),
        pytest.raises(InvalidKeys, match="fewer than 2048 bits"),
    ):
        Keys(key_set(weak), "", ())


class Handler(BaseHTTPRequestHandler):
    answer: Callable[["Handler"], None]

    def do_GET(self) -> None:
        type(self).answer(self)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def serving(answer: Callable[[Any], None]) -> Iterator[str]:
    handler = type("Answering", (Handler,), {"answer": staticmethod(answer)})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sent(data: bytes, status: int = 200, **headers: str) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def read_from(url: str) -> Keys:
    return Keys({}, url, (url.split("/")[2],))


def test_keys_come_over_http_from_this_machine() -> None:
    with serving(sent(json.dumps(key_set(ec_key("a"))).encode())) as url:
        assert len(read_from(url).of("a")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        sent(b"", 500),
        sent(b"no json"),
        sent(b"[]"),
        sent(b'{"keys": []}'),
        sent(b'{"keys": "' + b"x" * 300_000 + b'"}'),
    ],
    ids=["an error", "no JSON", "a list", "no keys", "too much"],
)
def test_what_is_no_set_of_keys_gives_none(answer: Callable[[Any], None]) -> None:
    with serving(answer) as url, pytest.raises(NoKeys):
        read_from(url).of("a")


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with serving(lambda h: (asked.append(h.path), sent(b"{}")(h))[1]) as other:  # type: ignore[func-returns-value]
        with serving(sent(b"", 302, Location=other)) as url, pytest.raises(NoKeys):
            read_from(url).of("a")
        # Nor is a proxy of the environment asked.
        monkeypatch.setenv("HTTP_PROXY", other)
        monkeypatch.setenv("ALL_PROXY", other)
        with serving(sent(json.dumps(key_set(ec_key("a"))).encode())) as url:
            assert read_from(url).of("a")
    assert asked == []
