"""The recipe for nginx, with a real one: TLS in front, certificates of clients, nothing forged.

Where it is absent the tests are skipped with that reason, unless `CAREPATH_NGINX_NEEDED` is set:
then they fail.
"""

import datetime
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from known_clients import bearer, free_port  # type: ignore[import-not-found]

from carepath.web.authorisation.credentials import kept_token

ROOT = Path(__file__).parents[3]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(
    NGINX is None and not os.environ.get("CAREPATH_NGINX_NEEDED"), reason="no nginx is here"
)
WRAPPED = """
pid nginx.pid; error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {server}
}}
"""


class Authority:
    """Makes certificates."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.path = folder / f"{name}.pem"
        constraint = x509.BasicConstraints(ca=True, path_length=0)
        made = self._begun(self.name, self.key).add_extension(constraint, critical=True)
        self._write(self.path, made.sign(self.key, hashes.SHA256()))

    def certificate(self, name: str) -> tuple[Path, Path]:
        """Return certificate and key of a name of the hospital."""
        key = ec.generate_private_key(ec.SECP256R1())
        parts = [(NameOID.ORGANIZATION_NAME, "Hospital"), (NameOID.COMMON_NAME, name)]
        subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])
        host = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        made = self._begun(subject, key).add_extension(host, critical=False)
        paths = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        self._write(paths[0], made.sign(self.key, hashes.SHA256()))
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
        return paths

    def _begun(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> Any:
        now = datetime.datetime.now(datetime.UTC)
        hour = datetime.timedelta(hours=1)
        return (
            x509.CertificateBuilder(self.name, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - hour)
            .not_valid_after(now + hour)
        )

    def _write(self, path: Path, certificate: x509.Certificate) -> None:
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@contextmanager
def nginx(folder: Path, **replaced: str) -> Iterator[str]:
    """Run nginx by the recipe until the block ends; its paths and ports are replaced."""
    port = free_port()
    server = (ROOT / "docs/integration/nginx.conf").read_text("utf-8")
    for old, new in {"listen 443 ssl": f"listen 127.0.0.1:{port} ssl", **replaced}.items():
        assert old in server
        server = server.replace(old, new)
    (folder / "nginx.conf").write_text(WRAPPED.format(server=server), "utf-8")
    assert NGINX is not None
    command = [NGINX, "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"]
    process = subprocess.Popen(command)
    try:
        url = f"https://localhost:{port}"
        end = time.monotonic() + 20
        while time.monotonic() < end and process.poll() is None:
            try:
                httpx.get(url, verify=False, timeout=2)  # noqa: S501  whether it listens
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_certificates_of_clients(serve: Any, tmp_path: Path) -> None:
    ours, other = Authority("ours", tmp_path), Authority("other", tmp_path)
    engine, unknown = ours.certificate("engine"), ours.certificate("unknown")
    stranger, server = other.certificate("stranger"), ours.certificate("server")
    registry = tmp_path / "registry.yaml"
    registry.write_text(
        "clients:\n- {id: engine, certificate: 'CN=engine,O=Hospital', scopes: system/*.rs}\n"
        f"- {{id: reports, token: '{kept_token('t')}', scopes: system/*.rs}}\n",
        "utf-8",
    )
    settings = {"CAREPATH_AUTHORISATION": str(registry), "CAREPATH_TRUSTED_PROXIES": "127.0.0.1"}
    with (
        serve(**settings) as service,
        nginx(
            tmp_path,
            **{
                "127.0.0.1:8080": service.root.removeprefix("http://"),
                "/etc/nginx/tls/server.pem": str(server[0]),
                "/etc/nginx/tls/server.key": str(server[1]),
                "/etc/nginx/tls/clients.pem": str(ours.path),
            },
        ) as root,
    ):

        def status(by: tuple[Path, Path] | None, headers: dict[str, str] | None = None) -> int:
            context = ssl.create_default_context(cafile=str(ours.path))
            if by is not None:
                context.load_cert_chain(*by)
            with httpx.Client(verify=context) as client:
                url = f"{root}/fhir/PlanDefinition/mst-gist"
                return client.get(url, headers=headers).status_code

        forged = {"X-Client-Verify": "SUCCESS", "X-Client-Subject": "CN=engine,O=Hospital"}
        under = {name.replace("-", "_"): value for name, value in forged.items()}
        assert {
            "engine": status(engine),
            "not registered": status(unknown),
            "another authority": status(stranger),
            "no certificate": status(None),
            "forged": status(None, forged),
            "forged with another one's": status(unknown, forged),
            "forged in other letters": status(None, under),
            "a token": status(None, bearer("t")),
            "a wrong token beside": status(engine, bearer("wrong")),
        } == {
            "engine": 200,
            "not registered": 401,
            "another authority": 400,
            "no certificate": 401,
            "forged": 401,
            "forged with another one's": 401,
            "forged in other letters": 401,
            "a token": 200,
            "a wrong token beside": 401,
        }
        links = httpx.get(
            f"{root}/fhir/PlanDefinition?_count=1",
            headers=bearer("t"),
            verify=ssl.create_default_context(cafile=str(ours.path)),
        ).json()["link"]
        assert all(link["url"].startswith(f"{root}/fhir/") for link in links)
        # Whoever reaches the port beside the proxy is the proxy only from its address.
        assert httpx.get(f"{service.base}/PlanDefinition/mst-gist").status_code == 401


def test_headers_of_nobodys_proxy_mean_nothing(serve: Any, tmp_path: Path) -> None:
    registry = tmp_path / "registry.yaml"
    registry.write_text(
        "clients: [{id: engine, certificate: 'CN=engine', scopes: system/*.rs}]", "utf-8"
    )
    forged = {"X-Client-Verify": "SUCCESS", "X-Client-Subject": "CN=engine"}
    with serve(
        CAREPATH_AUTHORISATION=str(registry), CAREPATH_TRUSTED_PROXIES="10.0.0.1"
    ) as service:
        url = f"{service.base}/PlanDefinition/mst-gist"
        assert httpx.get(url, headers=forged).status_code == 401
        also = {**forged, "X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1"}
        assert httpx.get(url, headers=also).status_code == 401
