"""Without authorisation the service listens on an address of this machine only, or is told to."""

import os
import subprocess
import sys
from typing import Any

import httpx
import pytest

from carepath.web import Config
from carepath.web.authorisation.credentials import kept_token
from carepath.web.authorisation.door import is_loopback, refuse_open_door
from carepath.web.config import InvalidConfiguration


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  that is what is refused
        ("::", False),
        ("", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("pathways.hospital.example", False),
        ("localhost.evil.example", False),
    ],
)
def test_which_addresses_are_of_this_machine_only(host: str, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours


def test_an_open_door_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        refuse_open_door(Config(host="10.0.0.1"))
    said = str(caught.value)
    assert said.startswith("The setting `CAREPATH_HOST` is `10.0.0.1`; expected an address of this")
    assert "`CAREPATH_AUTHORISATION`" in said
    assert "`CAREPATH_OPEN_TO_ALL=true`, by which whoever reaches the port may" in said
    refuse_open_door(Config(host="10.0.0.1", open_to_all=True))
    refuse_open_door(Config(host="10.0.0.1", authorisation=__file__))
    refuse_open_door(Config())


def test_the_command_refuses_before_it_listens() -> None:
    command = [sys.executable, "-m", "carepath", "serve", "--host", "0.0.0.0"]  # noqa: S104
    done = subprocess.run(
        command, env={**os.environ}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: The setting `CAREPATH_HOST` is `0.0.0.0`; expected ")
    assert "Traceback" not in done.stderr


def test_it_listens_when_told_to(serve: Any) -> None:
    with serve(CAREPATH_HOST="0.0.0.0", CAREPATH_OPEN_TO_ALL="true") as server:  # noqa: S104
        assert httpx.get(f"{server.base}/PlanDefinition?_count=0").status_code == 200


def test_it_listens_when_it_knows_who_asks(serve: Any, tmp_path: Any) -> None:
    path = tmp_path / "registry.yaml"
    path.write_text(
        f"clients: [{{id: a, token: '{kept_token('a')}', scopes: 'system/*.rs'}}]", "utf-8"
    )
    with serve(CAREPATH_HOST="0.0.0.0", CAREPATH_AUTHORISATION=str(path)) as server:  # noqa: S104
        url = f"{server.base}/PlanDefinition?_count=0"
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, headers={"Authorization": "Bearer a"}).status_code == 200
        assert httpx.get(f"{server.root}/readyz").status_code == 200
