"""Settings: sources and their order, refusals, and the manual that lists each of them."""

from pathlib import Path

import pytest

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
    }
    config = Config.from_env(environ)
    assert (config.content, config.accept_text_plain, config.rate_limit) == (
        ("/a", "/b"),
        True,
        2.5,
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"CAREPATH_PORT": "eighty"},
        {"CAREPATH_PORTS": "80"},
        {"CAREPATH_WORKERS": "0"},
        {"CAREPATH_BASE_URL": "hospital.example/fhir"},
        {"CAREPATH_TRUSTED_PROXIES": "the proxy"},
        {"CAREPATH_NOW": "2026-01-01T00:00:00"},
        {"CAREPATH_NOW": "yesterday"},
        {"CAREPATH_LOG_LEVEL": "loud"},
        {"CAREPATH_ACCEPT_TEXT_PLAIN": "perhaps"},
        {"CAREPATH_CONFIG": "/nowhere/carepath.toml"},
    ],
    ids=lambda environ: "=".join(*environ.items()),
)
def test_what_cannot_be_used_is_refused_by_name(environ: dict[str, str]) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        Config.from_env(environ)
    assert caught.value.name == next(iter(environ))


@pytest.mark.parametrize("line", ["colour = 'red'", "port = '80'", "content = 'a'", "port = 1.5"])
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "carepath.toml"
    path.write_text(line, "utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        Config.from_env({"CAREPATH_CONFIG": str(path)})
    assert caught.value.name == line.partition(" ")[0]


@pytest.mark.parametrize(("name", "about", "default"), settings())
def test_every_setting_is_in_the_manual(name: str, about: str, default: object) -> None:
    shown = {"": "", (): ""}.get(default, str(default).lower())  # type: ignore[call-overload]
    row = f"| `{name}` | {f'`{shown}`' if shown else ''} | {about} |".replace("|  |", "| |")
    assert row in (ROOT / "docs/operations.md").read_text("utf-8")
