"""A running export: asked for, waited for, and fetched into a folder.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html

Only listed hosts are asked, and directly: no proxy and no login of the environment counts, and no
redirect is followed.  The token goes to no file that the manifest does not ask it for.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

from carepath.addresses import names, plain_url, stands_in
from carepath.errors import ExportFailed, InvalidParameter, MalformedInput
from carepath.formats.json import decode, encode
from carepath.population.output import beside
from carepath.population.sources.manifest import NAME, Item, Manifest

STATE = ".export.json"
_READ_SECONDS = 60.0
_LONGEST_PAUSE, _FIRST_PAUSE = 300.0, 2.0
_ATTEMPTS = 5
_LARGEST_MANIFEST = 16_000_000
_PASSING = (408, 429, 502, 503, 504)
_OK, _ACCEPTED = 200, 202
_SECONDS = re.compile(r"\d{1,6}", re.ASCII)
_KICK_OFF = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
_TYPE = re.compile(r"[A-Za-z]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of whom: the URL of the operation, the hosts that may be asked, the token.

    `hours` is how long the whole export may take.
    """

    url: str
    hosts: tuple[str, ...]
    token: str = field(default="", repr=False)
    hours: float = 24.0


def fetch(
    asked: Asked,
    folder: Path,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Path:
    """Return a folder with the files and the manifest of an export.

    What is there already is not fetched again.  Raises InvalidParameter for a URL or a host that
    may not be asked, and ExportFailed.
    """
    url = _checked(asked)
    if not (folder / NAME).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with httpx.Client(
            follow_redirects=False,
            trust_env=False,
            verify=httpx.create_ssl_context(),
            timeout=_READ_SECONDS,
            headers={"Accept-Encoding": "gzip"},
        ) as client:
            _Export(asked, url, folder, client, sleep, clock).run()
    return folder


def _checked(asked: Asked) -> httpx.URL:
    """Return the URL of the operation; raises InvalidParameter."""
    plain = plain_url(asked.url.partition("?")[0])
    if plain is None or not plain.path.endswith("/$export"):
        raise InvalidParameter("INPUT", asked.url, "the URL of an operation `$export`")
    if not stands_in(plain, asked.hosts):
        raise InvalidParameter("INPUT", names(plain)[0], "a host that `--allow-host` names")
    if "_since=" in asked.url:
        expected = "an export of everything: what did not change since then counts, too"
        raise InvalidParameter("_since", "in the URL", expected)
    return httpx.URL(asked.url)


class _Export:
    """One export."""

    def __init__(
        self,
        asked: Asked,
        url: httpx.URL,
        folder: Path,
        client: httpx.Client,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self._asked, self._url, self._folder, self._client = asked, url, folder, client
        self._sleep, self._clock = sleep, clock
        self._end = clock() + asked.hours * 3600

    def run(self) -> None:
        """Ask, wait and fetch; the manifest is written last."""
        status = self._begun() or self._kick_off()
        content = self._wait_for(status)
        try:
            manifest = Manifest.of(encode(content))
        except MalformedInput as error:
            raise self._failed(error.reason) from error
        output = [
            {"type": item.type, "url": self._download(number, item, manifest), "count": item.count}
            for number, item in enumerate(manifest.output)
        ]
        for item in output:
            if item["count"] == -1:
                del item["count"]
        with beside(self._folder / NAME) as file:
            file.write(encode({**content, "output": output}, pretty=True))
        (self._folder / STATE).unlink(missing_ok=True)
        self._clean_up(status)

    def _begun(self) -> httpx.URL | None:
        """Return where an export tells its status that was asked for before."""
        try:
            known = decode((self._folder / STATE).read_bytes())
        except (OSError, MalformedInput):
            return None
        same = isinstance(known, dict) and known.get("asked") == self._asked.url
        return self._listed(str(known.get("status"))) if same else None

    def _kick_off(self) -> httpx.URL:
        with self._answer("GET", self._url, _KICK_OFF, login=True) as response:
            place = response.headers.get("Content-Location", "")
            if response.status_code != _ACCEPTED or not place:
                raise self._failed(f"it did not take the request ({response.status_code})")
            status = self._listed(place)
        with beside(self._folder / STATE) as file:
            file.write(encode({"asked": self._asked.url, "status": str(status)}))
        return status

    def _wait_for(self, status: httpx.URL) -> Mapping[str, Any]:
        """Return the manifest when the server has it."""
        pause = _FIRST_PAUSE
        while True:
            with self._answer(
                "GET", status, {"Accept": "application/json"}, login=True
            ) as response:
                if response.status_code == _OK:
                    return self._manifest(response)
                if response.status_code != _ACCEPTED:
                    if response.status_code in (404, 410):
                        (self._folder / STATE).unlink(missing_ok=True)
                    raise self._failed(f"it answered {response.status_code} instead of the files")
                asked = _retry_after(response)
            self._rest(pause if asked is None else asked)
            pause = min(pause * 1.5, 60.0)

    def _manifest(self, response: httpx.Response) -> Mapping[str, Any]:
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > _LARGEST_MANIFEST:
                raise self._failed(f"the manifest has more than {_LARGEST_MANIFEST} bytes")
        try:
            content = decode(bytes(data))
        except MalformedInput as error:
            raise self._failed(f"the manifest cannot be read: {error.reason}") from error
        if not isinstance(content, dict):
            raise self._failed("the manifest is no JSON object")
        return content

    def _download(self, number: int, item: Item, manifest: Manifest) -> str:
        """Fetch one file unless it is there, and return its name."""
        kind = item.type if _TYPE.fullmatch(item.type) else "file"
        target = self._folder / f"{kind}.{number:04}.ndjson"
        url = self._listed(item.url)
        for attempt in range(_ATTEMPTS):
            if target.exists():
                break
            try:
                with (
                    self._answer(
                        "GET",
                        url,
                        {"Accept": "application/fhir+ndjson"},
                        login=manifest.needs_token,
                    ) as response,
                    beside(target) as file,
                ):
                    if response.status_code != _OK:
                        raise self._failed(f"a file was answered with {response.status_code}")
                    for chunk in response.iter_raw():
                        file.write(chunk)
            except httpx.HTTPError as error:
                if attempt + 1 == _ATTEMPTS:
                    raise self._failed("a file breaks off again and again") from error
                self._rest(_FIRST_PAUSE * 2**attempt)
        return target.name

    def _clean_up(self, status: httpx.URL) -> None:
        """Let the server forget the files; it may not want to hear of it."""
        try:
            with self._answer("DELETE", status, {}, login=True):
                pass
        except ExportFailed:
            return

    @contextmanager
    def _answer(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], *, login: bool
    ) -> Iterator[httpx.Response]:
        """Give the answer to a request; what fails for the moment is tried again a few times."""
        sent = dict(headers)
        if login and self._asked.token:
            sent["Authorization"] = f"Bearer {self._asked.token}"
        for attempt in range(_ATTEMPTS):
            pause = _FIRST_PAUSE * 2**attempt
            try:
                response = self._client.send(
                    self._client.build_request(method, url, headers=sent), stream=True
                )
            except httpx.HTTPError as error:
                if attempt + 1 == _ATTEMPTS:
                    raise self._failed("it does not answer") from error
            else:
                if response.status_code not in _PASSING or attempt + 1 == _ATTEMPTS:
                    break
                pause = _retry_after(response) or pause
                response.close()
            self._rest(pause)
        try:
            yield response
        finally:
            response.close()

    def _listed(self, text: str) -> httpx.URL:
        """Return a URL that the server names, if it may be asked."""
        try:
            url = self._url.join(text)
            is_listed = (
                url.scheme in ("http", "https")
                and bool(url.host)
                and not url.userinfo
                and stands_in(url, self._asked.hosts)
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise self._failed("it names an address that is none") from error
        if not is_listed:
            host = url.host or "nobody"
            raise self._failed(f"it leads to `{host}`, which `--allow-host` does not name")
        return url

    def _rest(self, seconds: float) -> None:
        seconds = min(max(seconds, 0.5), _LONGEST_PAUSE)
        if self._clock() + seconds > self._end:
            raise self._failed(f"it takes longer than {self._asked.hours:g} hours")
        self._sleep(seconds)

    def _failed(self, reason: str) -> ExportFailed:
        return ExportFailed(names(self._url)[0], reason, str(self._folder))


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds after which a server wants to be asked again."""
    text = response.headers.get("Retry-After", "")
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    now = response.headers.get("Date", "")
    try:
        since = parsedate_to_datetime(now)
    except ValueError:
        since = datetime.now(UTC)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - since).total_seconds())
