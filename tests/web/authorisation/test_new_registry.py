"""SIGHUP reads the registry anew: who was added is in, who was taken out is out at once."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
from known_clients import bearer, ec_key, key_set, signed  # type: ignore[import-not-found]

from carepath.web.authorisation.credentials import kept_token

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def plain(name: str) -> dict[str, Any]:
    return {"id": name, "token": kept_token(name), "scopes": "system/*.rs"}


def ask(root: str, assertion: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": assertion,
        "scope": "system/*.rs",
    }
    return httpx.post(f"{root}/auth/token", data=form)


def test_a_new_registry(serve: Any, tmp_path: Path) -> None:
    key, path = ec_key("k"), tmp_path / "registry.json"
    ehr = {"id": "ehr", "jwks": key_set(key), "scopes": "system/*.rs"}

    def write(*clients: dict[str, Any]) -> None:
        path.write_text(json.dumps({"clients": [ehr, *clients]}), "utf-8")

    write(plain("old"))
    settings = {"CAREPATH_AUTHORISATION": str(path), "CAREPATH_BASE_URL": "https://x.example/fhir"}
    with serve(**settings, CAREPATH_WORKERS="1") as server:
        told = {"iss": "ehr", "sub": "ehr", "aud": "https://x.example/auth/token", "jti": "1",
                "exp": int(time.time()) + 280}  # fmt: skip
        assertion = signed(key, "ES384", told)
        token = ask(server.root, assertion).json()["access_token"]

        def status(by: str) -> int:
            url = f"{server.base}/PlanDefinition?_count=0"
            return httpx.get(url, headers=bearer(by)).status_code

        def until(by: str, wanted: int) -> None:
            end = time.monotonic() + 40
            while status(by) != wanted:
                assert time.monotonic() < end, f"{by} is not {wanted}"
                time.sleep(0.1)

        assert [status(by) for by in ("old", "new", token)] == [200, 401, 200]
        path.write_text("{", "utf-8")
        os.kill(server.process.pid, signal.SIGHUP)
        end = time.monotonic() + 40
        # Read at a place: the service goes on writing where it is.
        while b"registry.json` is broken" not in os.pread(server._file.fileno(), 10**6, 0):
            assert time.monotonic() < end, "a broken registry is not told of"
            time.sleep(0.1)
        assert status("old") == 200
        write(plain("new"))
        os.kill(server.process.pid, signal.SIGHUP)
        until("new", 200)
        until("old", 401)
        # What was made out and what was used before is still known.
        assert status(token) == 200
        assert ask(server.root, assertion).status_code == 401
