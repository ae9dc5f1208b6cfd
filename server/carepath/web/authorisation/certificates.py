"""Certificates of clients, which a proxy has checked and tells of.

https://nginx.org/en/docs/http/ngx_http_ssl_module.html#variables

The proxy sets `X-Client-Verify` to `$ssl_client_verify` and `X-Client-Subject` to
`$ssl_client_s_dn`.  From anybody but a trusted proxy the headers mean nothing.
"""

from collections.abc import Mapping
from typing import Any

from carepath.web.config import Config
from carepath.web.http.urls import is_trusted


def certificate_subject(config: Config, environ: Mapping[str, Any]) -> str:
    """Return the subject of the client's certificate, '' where no proxy vouches for one."""
    if not is_trusted(config, environ.get("REMOTE_ADDR", "")):
        return ""
    if environ.get("HTTP_X_CLIENT_VERIFY") != "SUCCESS":
        return ""
    subject: str = environ.get("HTTP_X_CLIENT_SUBJECT", "")
    return subject
