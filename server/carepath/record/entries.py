"""Which resources there are: what the entries of Bundles say beside the resource itself.

https://hl7.org/fhir/R4/bundle.html#resource and https://hl7.org/fhir/R4/http.html#transaction
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from carepath import deadline
from carepath.errors import InvalidResource
from carepath.issues import Issue
from carepath.record.remarks import Remark
from carepath.record.urls import normal
from carepath.resources import Resource

_FAILED = ("4", "5")
_NOT_STORED = ("GET", "HEAD")
_NO_PLAIN = frozenset({"Bundle", "OperationOutcome"})
_FULL_URL, _RESOURCE, _TYPE = map(itemgetter, ("fullUrl", "resource", "resourceType"))


class Entry(NamedTuple):
    """A resource that was sent, or (without a resource) the deletion of one.

    `place` numbers the entries of a history, whose first is the newest; `history` tells histories
    apart and is 0 in every other Bundle.
    """

    url: str
    resource: Resource | None
    deletes: str = ""
    changed: str = ""
    etag: str = ""
    history: int = 0
    place: int = 0


class Sent(NamedTuple):
    """All entries in order, with what their Bundles say about themselves.

    `urls` and `resources` go together; `details` has, by place, the entries that say more.
    """

    urls: list[str]
    resources: list[Resource]
    details: dict[int, Entry]
    remarks: list[Remark]
    doubts: dict[int, str]
    """By `id()` of a resource, what its entry says that is not understood, half a sentence."""


def read(content: Any) -> Sent:
    """Read Bundles and resources, inside lists and Bundles too, into one list of entries.

    Raises InvalidResource for a Bundle under implicit rules: nobody can know what it says.
    """
    reader = _Reader()
    reader.read(content)
    reader.tell_of_missing_pages()
    return Sent(reader.urls, reader.resources, reader.details, list(reader.remarks), reader.doubts)


class _Reader:
    """Collects the entries of everything that was sent."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.resources: list[Resource] = []
        self.details: dict[int, Entry] = {}
        self.remarks: dict[Remark, None] = {}
        self.doubts: dict[int, str] = {}
        self._searches: list[_Search] = []
        self._histories = 0

    def read(self, content: Any) -> None:
        if isinstance(content, dict):
            if content.get("resourceType") == "Bundle":
                self._bundle(content)
            elif isinstance(content.get("resourceType"), str):
                self.urls.append("")
                self.resources.append(content)
        elif isinstance(content, Iterable) and not isinstance(content, str | bytes):
            for item in deadline.paced(content):
                self.read(item)

    def _bundle(self, bundle: Resource) -> None:
        _refuse_implicit_rules(bundle)
        entries = bundle.get("entry")
        if bundle.get("type") == "searchset":
            self._searches.append(_Search(bundle))
        elif bundle.get("type") == "history":
            self._histories += 1
        elif isinstance(entries, list) and (plain := _plain(entries)) is not None:
            self.urls += plain[0]
            self.resources += plain[1]
            return
        for place, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                self._entry(entry, bundle, place)

    def _entry(self, entry: Resource, bundle: Resource, place: int) -> None:
        deadline.check()
        resource = entry.get("resource")
        if isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
            self.read(resource)
            return
        response, search = _dict(entry.get("response")), _dict(entry.get("search"))
        self._tell_of_outcome(response.get("outcome"))
        self._tell_of_outcome(resource)
        if self._has_failed(response) or search.get("mode") == "outcome":
            return
        if bundle.get("type") == "searchset" and search.get("mode", "match") == "match":
            self._searches[-1].matches += isinstance(resource, dict)
        is_history = bundle.get("type") == "history"
        made = self._made(entry, resource, response, is_history=is_history)
        if made is None:
            return
        if is_history:
            made = made._replace(history=self._histories, place=place)
        self.details[len(self.urls)] = made
        self.urls.append(made.url)
        self.resources.append(made.resource or {})

    def _made(
        self, entry: Resource, resource: Any, response: Resource, *, is_history: bool
    ) -> Entry | None:
        """Return what an entry gives: a resource, a deletion, or nothing."""
        request = _dict(entry.get("request"))
        method = _text(request, "method").upper()
        url = _text(entry, "fullUrl")
        given = resource if _is_resource(resource) else None
        if method in _NOT_STORED:
            return None
        if method == "PATCH" and not is_history:
            self._tell(f"`{_text(request, 'url')}` was changed by PATCH, which was not carried out")
            return None
        changed, etag = _text(response, "lastModified"), _text(response, "etag")
        if method == "DELETE":
            deletes = _text(request, "url") or url or _name(given)
            return Entry(url, given, deletes or "?", changed, etag)
        if given is None:
            return None
        if any("modifierExtension" in part for part in (entry, request, response)):
            self.doubts[id(given)] = "its entry carries a modifier extension"
        return Entry(url, given, "", changed, etag)

    def _has_failed(self, response: Resource) -> bool:
        """Tell whether a response is an error, and note it: what was asked for is not here."""
        status = _text(response, "status")
        if not status.startswith(_FAILED):
            return False
        self._tell(f"an entry has the response status `{status}`")
        return True

    def _tell_of_outcome(self, outcome: Any) -> None:
        """Note the errors of an OperationOutcome."""
        if not isinstance(outcome, dict) or outcome.get("resourceType") != "OperationOutcome":
            return
        issues = outcome.get("issue")
        for issue in issues if isinstance(issues, list) else ():
            if isinstance(issue, dict) and issue.get("severity") in ("error", "fatal"):
                details = _text(_dict(issue.get("details")), "text")
                self._tell(_text(issue, "diagnostics") or details or _text(issue, "code"))

    def tell_of_missing_pages(self) -> None:
        """Note the searches whose other pages were not sent."""
        pages = {link for search in self._searches for link in search.links("self")}
        everything = sum(search.matches for search in self._searches)
        of_total: Counter[int | None] = Counter()
        for search in self._searches:
            of_total[search.total] += search.matches
        for search in self._searches:
            total = search.total
            missing = [link for link in search.links("next") if link not in pages]
            if total is not None and total > everything:
                self._tell(f"a search found {total} resources, {everything} were sent")
            elif missing and (total is None or total > of_total[total]):
                self._tell(f"a search has a next page, `{missing[0]}`, which was not sent")

    def _tell(self, reason: str) -> None:
        sentence = f"The data may be incomplete: {reason.rstrip('.') or 'an error was reported'}."
        self.remarks[Remark("incomplete data", "warning", "incomplete", "", sentence)] = None


def _plain(entries: list[Any]) -> tuple[list[str], list[Resource]] | None:
    """Return full URLs and resources when no entry says more than these two, else None.

    Most entries of a large record are of this kind; each step here is one pass in C.
    """
    try:
        urls, resources = list(map(_FULL_URL, entries)), list(map(_RESOURCE, entries))
        types = set(map(_TYPE, resources))
        is_plain = set(map(len, entries)) <= {2}
        "".join(urls)  # a TypeError for what is no text
    except (KeyError, TypeError):
        return None
    if not is_plain or types & _NO_PLAIN or set(map(type, types)) - {str}:
        return None
    return urls, resources


def _refuse_implicit_rules(bundle: Resource) -> None:
    rules = bundle.get("implicitRules")
    if rules:
        text = f"`Bundle.implicitRules` is `{rules}`: rules that are not known here change what "
        text += "the Bundle means, so it cannot be read."
        raise InvalidResource([Issue("error", "not-supported", text, ("Bundle.implicitRules",))])


class _Search:
    """A searchset, and how many matches it holds."""

    def __init__(self, bundle: Resource) -> None:
        total = bundle.get("total")
        self.total = total if type(total) is int else None
        self.matches = 0
        self._links = bundle.get("link")

    def links(self, relation: str) -> Iterator[str]:
        """Yield the URLs of the links of a relation."""
        for link in self._links if isinstance(self._links, list) else ():
            if isinstance(link, dict) and link.get("relation") == relation:
                yield normal(_text(link, "url"))


def _is_resource(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("resourceType"), str)


def _name(resource: Resource | None) -> str:
    """Return `Type/id`, an empty text when there is no id."""
    if resource is None or not isinstance(resource.get("id"), str):
        return ""
    return f"{resource['resourceType']}/{resource['id']}"


def _dict(value: Any) -> Resource:
    return value if isinstance(value, dict) else {}


def _text(element: Resource, name: str) -> str:
    value = element.get(name)
    return value if isinstance(value, str) else ""
