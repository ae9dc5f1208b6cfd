"""Which servers may be asked for data: tricks with names, ports, users and forms of addresses."""

from typing import Any

import pytest

from carepath.errors import InvalidParameter
from carepath.web import Config
from carepath.web.data_endpoint.address import address_of, headers_of
from carepath.web.data_endpoint.reader import DataEndpoint

ALLOWED = {
    "records.example": ["https://records.example/fhir", "http://records.example",
                        "https://records.example:443/fhir/", "HTTPS://Records.Example/fhir"],
    "records.example:8443": ["https://records.example:8443/fhir"],
    "records.example:443": ["https://records.example/fhir"],
    "[::1]:8080": ["http://[::1]:8080/fhir"],
    "[::1]": ["http://[::1]/fhir"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("listed", "base"), [(listed, base) for listed, bases in ALLOWED.items() for base in bases]
)
def test_a_listed_host_is_asked(listed: str, base: str) -> None:
    DataEndpoint(base, Config(data_endpoint_hosts=(listed,)))


@pytest.mark.parametrize(
    "base",
    ["https://evil.example/fhir", "https://records.example:8443/fhir", "http://records.example:443",
     "https://records.example@evil.example", "https://records.example:443@evil.example",
     "https://records.example.evil.example/fhir", "https://records.example\\@evil.example",
     "https://evil.example\\@records.example", "https://evil.example#records.example",
     "https://evil.example?records.example", "https://evil.example/records.example",
     "https://me@records.example/fhir", "https://records.example/fhir?x=1",
     "https://records.example/fhir#x", "https://records.example/fhir?", "https://records.example./",
     "https://records.example%2eevil.example", "https://records\t.example/fhir",
     "https://records.example\n.evil.example", "https://records\u3002example/fhir\x00",
     "//records.example/fhir", "records.example", "file://records.example/etc/passwd",
     "http://127.0.0.1/fhir", "http://[::1]/fhir", "http://[::ffff:127.0.0.1]/", "http://2130706433/",
     "http://0x7f.1/", "http://localhost", "http://[::1", "http://", "https:///fhir", ""],
)  # fmt: skip
def test_only_listed_hosts_are_asked(base: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        DataEndpoint(base, Config(data_endpoint_hosts=("records.example",)))
    assert caught.value.name == "dataEndpoint"


OWN = Config(data_endpoint="https://records.example/fhir")


@pytest.mark.parametrize("base", ["https://records.example/fhir", "https://records.example:443/r4"])
def test_the_server_of_the_deployment_is_asked(base: str) -> None:
    DataEndpoint(base, OWN)


@pytest.mark.parametrize(
    "base",
    ["http://records.example/fhir", "https://records.example:8443/fhir", "https://evil.example/"],
)
def test_no_other_server_on_the_host_of_the_deployments_is_asked(base: str) -> None:
    with pytest.raises(InvalidParameter):
        DataEndpoint(base, OWN)


@pytest.mark.parametrize(
    "address",
    [None, 7, "", "file:///etc/passwd", "ftp://records.example", "http://a@b/", "http://b/?c"],
)
def test_the_address_of_an_endpoint(address: Any) -> None:
    with pytest.raises(InvalidParameter):
        address_of({"resourceType": "Endpoint", "address": address})


@pytest.mark.parametrize(
    "line",
    [
        "Host: evil.example",
        "Cookie: a=b",
        "Authorization",
        "Authorization: a\r\nHost: b",
        "Authorization: é中",
    ],
)
def test_an_endpoint_says_who_asks_and_nothing_else(line: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        headers_of({"resourceType": "Endpoint", "header": [line]})
    assert str(caught.value) == (
        "The parameter `dataEndpoint` is `an Endpoint with other headers`; expected "
        "`Authorization: ...` as the only header of an Endpoint."
    )
