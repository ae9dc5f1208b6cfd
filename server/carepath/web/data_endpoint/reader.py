"""Reading a patient's data from another FHIR server, as the data requirements of a plan say.

https://hl7.org/fhir/R4/http.html#paging
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx

from carepath.deadline import paced
from carepath.errors import SubjectNotFound
from carepath.r4.search import search_parameters, subject_parameter
from carepath.resources import Resource
from carepath.web.config import Config
from carepath.web.data_endpoint.connection import Connection
from carepath.web.http.refusals import TooLarge

_PAGE_SIZE = 200
_MAX_CODES = 20


class DataEndpoint:
    """One FHIR server to read from."""

    def __init__(
        self,
        base: str,
        config: Config,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        parameter: str = "dataEndpoint",
    ) -> None:
        """Take the base URL of the server; raise InvalidParameter when its host is not listed.

        `parameter` is where it was named.
        """
        self._connection = Connection(base, config, headers or {}, sleep, parameter)
        self._config = config

    def answers(self, queries: Mapping[str, str]) -> dict[str, list[Resource]]:
        """Return the resources that each query leads to, by key: a read, or a search with a `?`.

        A read of what is not there gives none.
        """
        found: dict[str, list[Resource]] = {}
        count = 0
        with self._connection:
            for key, query in queries.items():
                url = self._connection.url(query)
                several = self._pages(url) if "?" in query else self._one(url)
                for resource in paced(several):
                    found.setdefault(key, []).append(resource)
                    count += 1
                    if count > self._config.max_entries:
                        raise TooLarge("What the FHIR server holds", self._config.max_entries)
        return found

    def _one(self, url: httpx.URL) -> Iterator[Resource]:
        resource = self._connection.get(url)
        if resource is not None:
            yield resource

    def gather(self, subject: str, requirements: Sequence[Mapping[str, Any]]) -> list[Resource]:
        """Return the Patient and what is required about them, each page of each search."""
        with self._connection:
            found = [self._patient(subject)]
            for url in self._searches(subject, requirements):
                for resource in paced(self._pages(url)):
                    found.append(resource)
                    if len(found) > self._config.max_entries:
                        raise TooLarge("What the data endpoint holds", self._config.max_entries)
        return found

    def _patient(self, subject: str) -> Resource:
        patient = self._connection.get(self._connection.url(subject))
        if patient is None:
            raise SubjectNotFound(subject)
        if f"{patient.get('resourceType')}/{patient.get('id')}" != subject:
            raise self._connection.refused("a read was not answered with the Patient")
        return patient

    def _searches(
        self, subject: str, requirements: Sequence[Mapping[str, Any]]
    ) -> Iterator[httpx.URL]:
        """Yield one search for each type that is required, narrowed when all its needs agree."""
        by_type: dict[str, list[Mapping[str, Any]]] = {}
        for requirement in requirements:
            by_type.setdefault(str(requirement.get("type")), []).append(requirement)
        for resource_type, several in sorted(by_type.items()):
            name = subject_parameter(resource_type)
            if name is None:
                continue
            query = {name: subject, "_count": str(_PAGE_SIZE)}
            codes = _codes(several)
            if codes and "code" in search_parameters(resource_type):
                query["code"] = ",".join(codes)
            yield self._connection.url(resource_type).copy_merge_params(query)

    def _pages(self, url: httpx.URL) -> Iterator[Resource]:
        """Yield the matches of all pages of a search."""
        seen: set[httpx.URL] = set()
        while True:
            seen.add(url)
            bundle = self._connection.get(url) or {}
            if bundle.get("resourceType") != "Bundle":
                raise self._connection.refused("a search was not answered with a Bundle")
            yield from self._matches(bundle)
            following = _next(bundle)
            if not following:
                return
            url = self._connection.following(following, url)
            if url in seen:
                raise self._connection.refused("the pages of a search go round in a circle")
            if len(seen) >= self._config.data_endpoint_pages:
                raise self._connection.refused("a search has too many pages")

    def _matches(self, bundle: Resource) -> Iterator[Resource]:
        """Yield the resources of one page; a page that says it is not whole is refused."""
        for entry in _objects(bundle.get("entry")):
            resource = entry.get("resource")
            if not isinstance(resource, dict):
                continue
            if resource.get("resourceType") != "OperationOutcome":
                yield resource
            elif any(
                i.get("severity") in ("error", "fatal") for i in _objects(resource.get("issue"))
            ):
                raise self._connection.refused("a search came with errors")


def _next(bundle: Resource) -> str:
    """Return the URL of the next page, '' on the last one."""
    links = _objects(bundle.get("link"))
    return next((str(link.get("url")) for link in links if link.get("relation") == "next"), "")


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _codes(requirements: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the codes that all needs of a type are limited to; none when one takes any code."""
    found: list[str] = []
    for requirement in requirements:
        filters = [f for f in requirement.get("codeFilter") or () if f.get("path") == "code"]
        codes = [c for f in filters for c in f.get("code") or ()]
        if not codes:
            return []
        found += [_token(c) for c in codes]
    return list(dict.fromkeys(found)) if len(set(found)) <= _MAX_CODES else []


def _token(coding: Mapping[str, Any]) -> str:
    """Return a coding as a search value, with what has a meaning in it escaped."""
    parts = [coding[name] for name in ("system", "code") if coding.get(name)]
    return "|".join("".join(f"\\{c}" if c in "\\,|$" else c for c in part) for part in parts)
