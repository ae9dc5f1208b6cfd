"""What a trusted proxy says of the request it hands on, in the old headers and in the standard one.

https://www.rfc-editor.org/rfc/rfc7239.html
"""

from collections.abc import Mapping

import pytest

from carepath.web import Config
from carepath.web.http.urls import InvalidHost, client_address, fhir_base

TRUSTING = Config(trusted_proxies=("10.0.0.0/8",))


def environ(**headers: str) -> Mapping[str, str]:
    return {
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "inside:8000",
        "REMOTE_ADDR": "10.0.0.1",
        **{f"HTTP_{name.upper()}": text for name, text in headers.items()},
    }


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"forwarded": "proto=https;host=outside.example"}, "https://outside.example"),
        ({"forwarded": 'Host="outside.example:8443";Proto=https'}, "https://outside.example:8443"),
        ({"forwarded": 'host="[2001:db8::1]:8443"'}, "http://[2001:db8::1]:8443"),
        (
            {"forwarded": "host=forged.example, for=192.0.2.1;host=out.example"},
            "http://out.example",
        ),
        ({"forwarded": 'for="a,host=forged.example";host=out.example'}, "http://out.example"),
        ({"forwarded": "for=192.0.2.1"}, "http://inside:8000"),
        ({"forwarded": ""}, "http://inside:8000"),
        ({"forwarded": 'nonsense, "open'}, "http://inside:8000"),
        ({"forwarded": "host=a.example", "x_forwarded_host": "b.example"}, "http://b.example"),
        (
            {"x_forwarded_host": "out.example", "x_forwarded_port": "8443"},
            "http://out.example:8443",
        ),
        ({"x_forwarded_host": "out.example:1", "x_forwarded_port": "2"}, "http://out.example:1"),
        ({"x_forwarded_host": "[::1]", "x_forwarded_port": "8443"}, "http://[::1]:8443"),
        (
            {
                "x_forwarded_proto": "https",
                "x_forwarded_host": "o.example",
                "x_forwarded_port": "443",
            },
            "https://o.example",
        ),
    ],
)
def test_the_base_as_a_trusted_proxy_tells_it(headers: dict[str, str], base: str) -> None:
    assert fhir_base(TRUSTING, environ(**headers)) == f"{base}/fhir"
    assert fhir_base(Config(), environ(**headers)) == "http://inside:8000/fhir"


@pytest.mark.parametrize(
    "headers",
    [
        {"forwarded": 'host="a b"'},
        {"forwarded": "proto=gopher"},
        {"x_forwarded_port": "443x"},
        {"x_forwarded_host": "o.example", "x_forwarded_port": "1/evil"},
    ],
)
def test_what_is_no_host_is_refused(headers: dict[str, str]) -> None:
    told = {**environ(**headers), "HTTP_HOST": "inside"}
    with pytest.raises(InvalidHost):
        fhir_base(TRUSTING, told)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("for=192.0.2.7", "192.0.2.7"),
        ('for="[2001:db8::7]:4711"', "2001:db8::7"),
        ("for=192.0.2.7:80, for=10.0.0.2", "192.0.2.7"),
        ("for=198.51.100.1, for=192.0.2.7", "192.0.2.7"),
        ("proto=https", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_client_as_a_trusted_proxy_tells_it(forwarded: str, client: str) -> None:
    assert client_address(TRUSTING, environ(forwarded=forwarded)) == client
    assert client_address(Config(), environ(forwarded=forwarded)) == "10.0.0.1"
