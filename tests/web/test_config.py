"""Settings: sources and their order, refusals, and the manual that lists each of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from carepath.web import create_app
from carepath.web.config import Config, InvalidConfiguration, settings

ROOT = Path(__file__).parents[2]


def test_defaults() -> None:
    assert Config.from_env({}) == Config()


def test_variables_win_over_the_file_and_arguments_over_both(tmp_path: Path) -> None:
    path = tmp_path / "carepath.toml"
    path.write_text('port = 1\nworkers = 3\nrequest_seconds = 9\ncontent = ["a", "b"]\n', "utf-8")
    environ = {"CAREPATH_CONFIG": str(path), "CAREPATH_PORT": "2", "CAREPATH_THREADS": "5"}
    config = Config.from_env(environ, threads=6, host=None, base_url="https://x.example/fhir")
    assert (config.port, config.workers, config.threads) == (2, 3, 6)
    assert (config.host, config.base_url) == ("127.0.0.1", "https://x.example/fhir")
    assert (config.request_seconds, config.content) == (9.0, ("a", "b"))


def test_every_type_is_read_from_a_variable() -> None:
    environ = {
        "CAREPATH_CONTENT": "/a, /b",
        "CAREPATH_ACCEPT_TEXT_PLAIN": "yes",
        "CAREPATH_RATE_LIMIT": "2.5",
        "CAREPATH_EXPLAIN": "full",
        "CAREPATH_TEMPLATES": str(ROOT),
    }
    config = Config.from_env(environ)
    assert (config.content, config.accept_text_plain, config.rate_limit) == (
        ("/a", "/b"),
        True,
        2.5,
    )
    assert (config.explain, config.templates) == ("full", str(ROOT))


@pytest.mark.parametrize(
    "environ",
    [
        {"CAREPATH_PORT": "eighty"},
        {"CAREPATH_PORTS": "80"},
        {"CAREPATH_PORT": "65536"},
        {"CAREPATH_PORT": ""},
        {"CAREPATH_WORKERS": "0"},
        {"CAREPATH_REQUEST_SECONDS": "inf"},
        {"CAREPATH_REQUEST_SECONDS": "nan"},
        {"CAREPATH_RATE_LIMIT": "1e400"},
        {"CAREPATH_BASE_URL": "https://hospital.example/fhir?x=1"},
        {"CAREPATH_BASE_URL": "https://hospital.example/a b"},
        {"CAREPATH_DATA_ENDPOINT": "https://me:secret@hospital.example/fhir"},
        {"CAREPATH_DATA_ENDPOINT": "http://[::1"},
        {"CAREPATH_DATA_ENDPOINT_HOSTS": "https://records.example/fhir"},
        {"CAREPATH_DATA_ENDPOINT_HOSTS": "*"},
        {"CAREPATH_CORS_ORIGINS": "page.example"},
        {"CAREPATH_CORS_ORIGINS": "https://page.example/"},
        {"CAREPATH_BASE_URL": "hospital.example/fhir"},
        {"CAREPATH_BASE_URL": "http://hospital.example:0/fhir"},
        {"CAREPATH_TRUSTED_PROXIES": "the proxy"},
        {"CAREPATH_NOW": "2026-01-01T00:00:00"},
        {"CAREPATH_NOW": "yesterday"},
        {"CAREPATH_LOG_LEVEL": "loud"},
        {"CAREPATH_ACCEPT_TEXT_PLAIN": "perhaps"},
        {"CAREPATH_EXPLAIN": "all"},
        {"CAREPATH_EXPLAIN": ""},
        {"CAREPATH_EXPLAIN": "Brief"},
        {"CAREPATH_TEMPLATES": "/nowhere/templates"},
        {"CAREPATH_TEMPLATES": __file__},
        {"CAREPATH_CONFIG": "/nowhere/carepath.toml"},
    ],
    ids=lambda environ: "=".join(*environ.items()),
)
def test_what_cannot_be_used_is_refused_by_name(environ: dict[str, str]) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        Config.from_env(environ)
    assert caught.value.name == next(iter(environ))


@pytest.mark.parametrize(
    "line",
    [
        "colour = 'red'",
        "port = '80'",
        "content = 'a'",
        "port = 1.5",
        "port = true",
        "content = ['a', 2]",
        "config = 'other.toml'",
        "now = 2026-01-01T00:00:00Z",
        "server = { port = 1 }",
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "carepath.toml"
    path.write_text(line, "utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        Config.from_env({"CAREPATH_CONFIG": str(path)})
    assert caught.value.name == line.partition(" ")[0]


@pytest.mark.parametrize("content", [b"port = 1\nport = 2", b"port", b"\xff\xfe", b"[port"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "carepath.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidConfiguration, match=r"carepath\.toml") as caught:
        Config.from_env({"CAREPATH_CONFIG": str(path)})
    assert caught.value.name == "CAREPATH_CONFIG"


@pytest.mark.parametrize(
    ("name", "content"),
    [("time_zone", None), ("parameters", None), ("parameters", "[]"), ("parameters", '{"a":NaN}')],
)
def test_what_only_the_start_can_check(tmp_path: Path, name: str, content: str | None) -> None:
    path = tmp_path / "parameters.json"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        create_app(Config(**{name: str(path)}))
    assert caught.value.name == f"CAREPATH_{name.upper()}"


@pytest.mark.parametrize(
    "environment", [{"CAREPATH_PORT": "eighty"}, {"CAREPATH_TIME_ZONE": "Mars"}]
)
def test_the_command_stops_with_one_sentence(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "carepath", "serve"]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stderr.startswith(f"error: The setting `{next(iter(environment))}` is ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "about", "default"), settings())
def test_every_setting_is_in_the_manual(name: str, about: str, default: object) -> None:
    shown = {"": "", (): ""}.get(default, str(default).lower())  # type: ignore[call-overload]
    row = f"| `{name}` | {f'`{shown}`' if shown else ''} | {about} |".replace("|  |", "| |")
    assert row in (ROOT / "docs/operations.md").read_text("utf-8")
