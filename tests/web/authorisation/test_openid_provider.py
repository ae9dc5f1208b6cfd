"""Tokens of a real OpenID provider (`oidc-provider` of npm), as Keycloak makes them out."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from known_clients import bearer, free_port  # type: ignore[import-not-found]

AUDIENCE = "https://pathways.example/fhir"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[str]:
    """Run the provider; return its address."""
    if shutil.which("npm") is None:
        pytest.skip("node is not here")
    for path in (Path(__file__).parent / "provider").iterdir():
        shutil.copy(path, tmp_path)
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=tmp_path, capture_output=True, check=False, timeout=300)
    if done.returncode:
        pytest.skip("the npm registry cannot be reached")
    issuer = f"http://127.0.0.1:{free_port()}"
    command = ["node", "provider.mjs", issuer, AUDIENCE]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield issuer
        finally:
            process.terminate()


def token(issuer: str, scope: str, resource: str = AUDIENCE) -> str:
    form = {"grant_type": "client_credentials", "scope": scope, "resource": resource}
    answer = httpx.post(f"{issuer}/token", data=form, auth=("engine", "engine-secret"))
    made: str = answer.json()["access_token"]
    return made


@pytest.mark.network
def test_tokens_of_a_real_provider(serve: Any, provider: str, tmp_path: Path) -> None:
    known = {
        "issuer": provider,
        "audience": AUDIENCE,
        "jwksUrl": f"{provider}/jwks",
        "scopes": "system/PlanDefinition.rs",
    }
    registry = tmp_path / "registry.json"
    hosts = [provider.removeprefix("http://")]
    registry.write_text(json.dumps({"issuers": [known], "jwksHosts": hosts}), "utf-8")
    with serve(CAREPATH_AUTHORISATION=str(registry), CAREPATH_BASE_URL=AUDIENCE) as server:

        def status(url: str, scope: str, resource: str = AUDIENCE) -> int:
            headers = bearer(token(provider, scope, resource))
            return httpx.get(f"{server.base}/{url}", headers=headers).status_code

        plans, both = "PlanDefinition?_count=0", "system/PlanDefinition.rs system/ValueSet.rs"
        assert status(plans, "system/PlanDefinition.rs") == 200
        assert status(plans, "system/ValueSet.rs") == 403
        # The registry gives this issuer no value sets.
        assert status("ValueSet?_count=0", both) == 403
        assert status(plans, both, "https://elsewhere.example/fhir") == 401
