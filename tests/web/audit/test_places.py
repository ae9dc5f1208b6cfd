"""Where AuditEvents go beside the file: to real sockets, a real TLS server, a real FHIR server."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app
from carepath.web.audit.syslog import message
from carepath.web.config import InvalidConfiguration

NOW = "2026-03-31T09:15:00+04:00"
APPLY = "/fhir/PlanDefinition/walk/$apply"
JANE = {"resourceType": "Patient", "id": "jane", "gender": "female", "name": [{"text": "Doe"}]}
HOST, SECONDS = "127.0.0.1", 10.0


@pytest.fixture
def asked(knowledge: Knowledge) -> Callable[..., int]:
    """Return what asks a service with these settings for a plan, and gives the status."""

    def ask(**settings: Any) -> int:
        client: FlaskClient = create_app(Config(now=NOW, **settings), knowledge).test_client()
        return client.post(APPLY, json=JANE, headers={"X-Request-Id": "request-1"}).status_code

    return ask


class Listener:
    """A stream that reads all of one connection, as a thread."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_server((HOST, 0))
        self.socket.settimeout(SECONDS)
        self.port = self.socket.getsockname()[1]
        self._context, self._data = context, b""
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        try:
            connection, _ = self.socket.accept()
            connection.settimeout(SECONDS)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                while part := connection.recv(4096):
                    self._data += part
        except OSError:
            pass  # a client that trusts nobody goes away

    def received(self) -> bytes:
        self._thread.join(SECONDS)
        self.socket.close()
        return self._data


def event_in(data: bytes) -> dict[str, Any]:
    """Return the event in a message, whose head has to be that of an audit record."""
    head, _, text = data.partition(b" AuditEvent - ")
    priority, recorded, _, application, process = head.split(b" ")
    assert (priority, recorded, application) == (b"<85>1", NOW.encode(), b"carepath")
    assert process.isdigit()
    event: dict[str, Any] = json.loads(text)
    return event


def in_frame(data: bytes) -> bytes:
    """Return the one message of a stream, whose length stands before it."""
    length, _, text = data.partition(b" ")
    assert int(length) == len(text)
    return text


def told(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["resourceType"], event["outcomeDesc"], event["entity"][0]["what"]["reference"]


TOLD = ("AuditEvent", "$apply: status 200", "Patient/jane")


def test_the_socket_of_this_machine(asked: Callable[..., int], tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(SECONDS)
        assert asked(audit_syslog=path) == 200
        data = listener.recv(65_536)
    assert told(event_in(data)) == TOLD
    assert b"Doe" not in data


def test_a_socket_of_this_machine_that_is_a_stream(
    asked: Callable[..., int], tmp_path: Path
) -> None:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen()
        assert asked(audit_syslog=path) == 200
        connection, _ = listener.accept()
        with connection:
            assert told(event_in(connection.recv(65_536))) == TOLD


def test_udp(asked: Callable[..., int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((HOST, 0))
        listener.settimeout(SECONDS)
        assert asked(audit_syslog=f"udp://{HOST}:{listener.getsockname()[1]}") == 200
        assert told(event_in(listener.recv(65_536))) == TOLD


def test_tcp_says_how_long_a_message_is(asked: Callable[..., int]) -> None:
    listener = Listener()
    assert asked(audit_syslog=f"tcp://{HOST}:{listener.port}") == 200
    assert told(event_in(in_frame(listener.received()))) == TOLD


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a PEM file with a key and a certificate for this address, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "syslog")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    text = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(pem)
    path = tmp_path_factory.mktemp("tls") / "syslog.pem"
    path.write_bytes(text)
    return path


@pytest.fixture
def secured(certificate: Path) -> Listener:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return Listener(context)


def test_tls(asked: Callable[..., int], secured: Listener, certificate: Path) -> None:
    address = f"tls://{HOST}:{secured.port}"
    assert asked(audit_syslog=address, audit_syslog_ca=str(certificate)) == 200
    assert told(event_in(in_frame(secured.received()))) == TOLD


@pytest.mark.parametrize("trusts", ["the system", "the signer of another name"])
def test_a_certificate_that_is_not_to_be_trusted_gets_nothing(
    asked: Callable[..., int], secured: Listener, certificate: Path, trusts: str
) -> None:
    host, ca = (HOST, "") if trusts == "the system" else ("localhost", str(certificate))
    assert asked(audit_syslog=f"tls://{host}:{secured.port}", audit_syslog_ca=ca) == 503
    assert secured.received() == b""


@pytest.mark.parametrize(("is_required", "status"), [(True, 503), (False, 200)])
def test_who_does_not_listen_closes_or_opens_by_the_setting(
    asked: Callable[..., int],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    is_required: bool,
    status: int,
) -> None:
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
    for address in (f"tcp://{HOST}:{port}", str(tmp_path / "none")):
        assert asked(audit_syslog=address, audit_required=is_required) == status
    assert caplog.text.count("the audit trail was not written") == 2


def test_one_place_that_fails_keeps_nothing_from_the_others(
    asked: Callable[..., int], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((HOST, 0))
        listener.settimeout(SECONDS)
        (tmp_path / "audit").mkdir()
        address = f"udp://{HOST}:{listener.getsockname()[1]}"
        assert asked(audit_syslog=address, audit_file=str(tmp_path / "audit")) == 503
        assert told(event_in(listener.recv(65_536))) == TOLD


class Repository(ThreadingHTTPServer):
    """A FHIR server that notes what it is sent, and answers a status."""

    status, seconds = 201, 0.0

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Taking)
        self.taken: list[tuple[str, dict[str, str], Any]] = []
        self.silence = threading.Event()


class _Taking(BaseHTTPRequestHandler):
    server: Repository

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, dict(self.headers), json.loads(body)))
        self.server.silence.wait(self.server.seconds)
        self.send_response(self.server.status)
        self.send_header("Location", "http://elsewhere.example/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server
        server.silence.set()
        server.shutdown()


def listed(server: Repository) -> dict[str, Any]:
    host = f"{HOST}:{server.server_address[1]}"
    return {"audit_fhir": f"http://{host}/fhir", "data_endpoint_hosts": (host,)}


def test_a_fhir_server(asked: Callable[..., int], repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n", "ascii")
    assert asked(**listed(repository), audit_fhir_token=str(tmp_path / "token")) == 200
    ((path, headers, event),) = repository.taken
    assert (path, headers["Authorization"]) == ("/fhir/AuditEvent", "Bearer secret")
    assert headers["Content-Type"] == "application/fhir+json"
    assert told(event) == TOLD


@pytest.mark.parametrize("status", [302, 400, 401, 500])
def test_a_fhir_server_that_refuses(
    asked: Callable[..., int], repository: Repository, status: int
) -> None:
    repository.status = status
    assert asked(**listed(repository)) == 503
    assert asked(**listed(repository), audit_required=False) == 200
    assert len(repository.taken) == 2


def test_a_fhir_server_that_says_nothing_has_little_time(
    asked: Callable[..., int], repository: Repository
) -> None:
    repository.seconds = SECONDS
    assert asked(**listed(repository), audit_seconds=0.2) == 503


def test_settings_that_cannot_be_used_are_refused(
    asked: Callable[..., int], tmp_path: Path, repository: Repository
) -> None:
    (tmp_path / "empty").write_text("", "ascii")
    empty = str(tmp_path / "empty")
    for settings, expected in (
        ({"audit_syslog": "dev/log"}, "a path such as"),
        ({"audit_syslog": "tls://syslog"}, "tls://host:port"),
        ({"audit_syslog": "http://syslog:80"}, "tls://host:port"),
        ({"audit_syslog": "udp://syslog:65536"}, "tls://host:port"),
        ({"audit_syslog": "tls://syslog:6514", "audit_syslog_ca": empty}, "a PEM file"),
        ({"audit_fhir": "https://audit.example/fhir"}, "CAREPATH_DATA_ENDPOINT_HOSTS"),
        ({**listed(repository), "audit_fhir_token": empty}, "a file with one token"),
        ({"audit_seconds": 0.0}, "a number above 0"),
    ):
        with pytest.raises(InvalidConfiguration, match=expected):
            asked(**settings)
    assert repository.taken == []


def test_the_name_of_a_host_cannot_break_a_message() -> None:
    assert message({"recorded": NOW}, "an ö\n host", 7).startswith(f"1 {NOW} anhost carepath 7 ")
    assert message({"recorded": NOW}, "ö", 7).startswith(f"1 {NOW} - carepath 7 ")
