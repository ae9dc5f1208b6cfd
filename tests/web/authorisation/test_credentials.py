"""Passwords and tokens that do not change: kept, compared, refused, told by the commands."""

import base64
import hashlib
import hmac
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from known_clients import PASSWORD, basic  # type: ignore[import-not-found]

from carepath.command.main import main
from carepath.web.authorisation import credentials
from carepath.web.authorisation.credentials import (
    Passwords,
    is_kept_password,
    is_kept_token,
    is_password,
    is_token,
    kept_password,
    kept_token,
)

ROOT = Path(__file__).parents[3]
READ = "/fhir/PlanDefinition/walk"
SALT = bytes(range(16))


def test_what_is_kept_is_derived_by_the_standard() -> None:
    key = hashlib.scrypt(b"secret", salt=SALT, n=16384, r=8, p=1, dklen=32)
    assert kept_password("secret", SALT).rpartition("$")[2].encode() == (base64.b64encode(key))
    assert kept_token("secret") == "sha256$" + hashlib.sha256(b"secret").hexdigest()


def test_a_secret_is_known_by_what_is_kept() -> None:
    kept = kept_password("geheim ü", SALT)
    assert [is_password(p, kept) for p in ("geheim ü", "geheim", "")] == [True, False, False]
    kept = kept_token("abc")
    assert [is_token(t, kept) for t in ("abc", "abd", "", "\xff")] == [True, False, False, False]


@pytest.mark.parametrize("text", ["", "secret", "scrypt$a$b", "sha256$", "SHA256$" + "0" * 64])
def test_a_secret_itself_is_nothing_to_keep(text: str) -> None:
    assert not is_kept_password(text)
    assert not is_kept_token(text)


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each comparison of a secret, or of what is derived from it, is `hmac.compare_digest`."""
    compared: list[tuple[Any, Any]] = []

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    fake = type("Hmac", (), {"compare_digest": staticmethod(compare), "digest": hmac.digest})
    monkeypatch.setattr(credentials, "hmac", fake)
    is_token("a", kept_token("b"))
    is_password("a", kept_password("b", SALT))
    Passwords().is_right("x", "a", kept_password("b", SALT))
    assert len(compared) == 4


def test_who_is_unknown_costs_as_much_as_who_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords()
    derived: list[str] = []

    def derive(password: str, salt: bytes) -> str:
        derived.append(password)
        return kept_password(password, salt)

    monkeypatch.setattr(credentials, "kept_password", derive)
    assert not passwords.is_right("nobody", "guess", "")
    assert not passwords.is_right("somebody", "guess", kept_password("other", SALT))
    assert derived == ["guess", "guess"]


def test_a_right_password_is_derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, kept = Passwords(), kept_password("right", SALT)
    assert passwords.is_right("a", "right", kept)
    monkeypatch.setattr(credentials, "kept_password", lambda *_: pytest.fail("derived again"))
    assert passwords.is_right("a", "right", kept)


def test_a_right_password_is_nobody_elses() -> None:
    passwords, kept = Passwords(), kept_password("right", SALT)
    assert passwords.is_right("a", "right", kept)
    assert not passwords.is_right("a", "wrong", kept)
    assert not passwords.is_right("b", "right", kept_password("other", SALT))


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Basic ZW5naW5lOmNvcnJlY3QgaG9yc2U=", 200),
        ("basic  ZW5naW5lOmNvcnJlY3QgaG9yc2U= ", 200),
        ("Basic ZW5naW5lOg==", 401),
        ("Basic bm9ib2R5Om5vYm9keQ==", 401),
        ("Basic cGxhaW46cGxhaW4=", 401),
        ("Basic", 401),
        ("Basic Og==", 401),
        ("Basic \xff", 401),
        ("Basic /w==", 401),
        ("Bearer battery-staple", 200),
        ("BEARER battery-staple", 200),
        ("Bearer battery-staple2", 401),
        ("Bearer", 401),
        ("Bearer \xff.\xff.\xff", 401),
        ("Bearer a.b.c", 401),
        ("battery-staple", 401),
    ],
)
def test_the_header_says_who_asks(guarded: FlaskClient, header: str, status: int) -> None:
    answer = guarded.get(READ, headers={"Authorization": header})
    assert answer.status_code == status
    if status == 401:
        assert answer.json["resourceType"] == "OperationOutcome"
        assert answer.json["issue"][0]["code"] == "login"


def test_a_client_that_logs_in_when_it_is_asked_to(serve: Any, tmp_path: Path) -> None:
    """As Mirth and Rhapsody do: first without, then by what `WWW-Authenticate` says."""
    kept = kept_password("a: b ü", SALT)
    clients = [{"id": "mirth", "password": kept, "scopes": "system/PlanDefinition.rs"}]
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"clients": clients}), "utf-8")
    bundle = (ROOT / "examples/converter-batch.json").read_bytes()
    with serve(CAREPATH_AUTHORISATION=str(path)) as server:
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        known.add_password(None, server.root, "mirth", "a: b ü")
        asks = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(known))
        wanted = urllib.request.Request(  # noqa: S310  of the service that was just started
            f"{server.base}/PlanDefinition/mst-pathway/%24apply",
            data=bundle,
            headers={"Content-Type": "application/fhir+json"},
        )
        # The same again, as an engine does that has had no answer: the same plan.
        first, second = (asks.open(wanted, timeout=30).read() for _ in range(2))
        server.stop()
        statuses = [
            line["status"] for line in server.lines if line.get("route", "")[-6:] == "$apply"
        ]
    # The second time it knows that it has to.
    assert statuses == [401, 200, 200]
    assert json.loads(first)["resourceType"] == "CarePlan"
    assert first == second


def test_guessing_is_slowed_down(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.client()

    def status(address: str, password: str) -> int:
        answer = client.get(
            READ, headers=basic("engine", password), environ_base={"REMOTE_ADDR": address}
        )
        return int(answer.status_code)

    assert status("192.0.2.1", PASSWORD) == 200
    monkeypatch.setitem(credentials._ROUNDS, "n", 2)
    assert {status("192.0.2.2", str(number)) for number in range(20)} == {401}
    assert status("192.0.2.2", "again") == 429
    # Who is known already is not held up by who guesses.
    assert status("192.0.2.2", PASSWORD) == 200
    assert status("192.0.2.3", "wrong") == 401


def test_a_refusal_tells_nothing_of_the_secret(guarded: FlaskClient) -> None:
    answer = guarded.get(READ, headers={"Authorization": "Bearer very-secret"})
    assert "very-secret" not in answer.get_data(as_text=True)


def test_a_browser_is_asked_on_the_page_of_a_patient(guarded: FlaskClient) -> None:
    page = guarded.get("/try", headers={"Accept": "text/html"})
    assert (page.status_code, page.content_type) == (401, "text/html; charset=utf-8")
    assert 'Basic realm="carepath", charset="UTF-8"' in page.headers.getlist("WWW-Authenticate")
    front = guarded.get("/", headers={"Accept": "text/html"})
    assert front.status_code == 200


def test_the_commands_make_what_the_registry_keeps(tmp_path: Path) -> None:
    run = CliRunner().invoke
    kept = run(main, ["authorisation", "hash"], input="my password\n").output.strip()
    assert is_password("my password", kept)
    told = run(main, ["authorisation", "token"]).output.splitlines()
    token, in_registry = (line.rpartition(": ")[2] for line in told)
    assert is_token(token, in_registry)
    assert run(main, ["authorisation", "hash"], input="\n").exit_code == 2
    client = {"id": "a", "password": kept, "token": in_registry, "scopes": "system/*.rs",
              "rights": ["metrics"]}  # fmt: skip
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"clients": [client]}), "utf-8")
    checked = run(main, ["authorisation", "check", str(path)])
    assert (checked.exit_code, checked.output) == (0, "a: system/*.rs metrics\n")
    path.write_text("{}", "utf-8")
    assert run(main, ["authorisation", "check", str(path)]).exit_code == 0
    path.write_text('{"clients": {}}', "utf-8")
    checked = run(main, ["authorisation", "check", str(path)])
    assert checked.exit_code == 1
    assert "is broken at `clients`: it must be a list of objects." in checked.output
