"""Everything that was sent, whoever it is about, and the ways to find it.

https://hl7.org/fhir/R4/bundle.html#references
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

from carepath import deadline
from carepath.record.coded import Coded
from carepath.record.entries import read
from carepath.record.names import NOTHING, Found, Names, find, identifier, identifiers, only
from carepath.record.urls import is_http, normal, search_in, server_of, type_and_id
from carepath.record.versions import current
from carepath.resources import Resource

_ID, _TYPE = itemgetter("id"), itemgetter("resourceType")


class Content:
    """The resources that count, in the order sent; indices are made when first wanted.

    Raises InvalidResource for what cannot be read as a whole (see `entries` and `versions`).
    """

    def __init__(self, content: Any, left_out: Iterable[Resource] = ()) -> None:
        left_out = tuple(left_out)
        self.made_of = (content, left_out)
        sent = read(content)
        now = current(sent, left_out)
        self._urls, self._resources = now.urls, now.resources
        self.remarks = (*sent.remarks, *now.remarks)
        self.unread = tuple(now.unread)
        self._doubts = dict.fromkeys(map(id, now.unread), "") | sent.doubts
        self._told = frozenset(map(id, now.unread))
        by_type: dict[str, list[Resource]] = defaultdict(list)
        for resource_type, together in groupby(self._resources, _TYPE):
            by_type[resource_type].extend(together)
        self.by_type: dict[str, list[Resource]] = dict(by_type)
        self._coded: dict[tuple[str, str], Coded] = {}
        self._found: dict[tuple[str, str], Found] = {}
        self._servers: dict[str, str] = {}
        self._copies: dict[int, Resource] = {}
        self._names_of_type: dict[str, Names] = {}
        self._ids: dict[str, frozenset[str]] = {}
        self._of_ids: dict[str, dict[str, Resource]] = {}

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Return the resources that count, as they were sent, in their order."""
        return tuple(self._resources)

    @cached_property
    def _all_names(self) -> Names:
        return Names(self._urls, self._resources)

    def names_of(self, resource_type: str) -> Names:
        """Return the names of the resources of a type: a reference tells the type, mostly."""
        found = self._names_of_type.get(resource_type)
        if found is None:
            resources = self.by_type.get(resource_type, [])
            urls = [self.full_url(resource) for resource in resources]
            found = self._names_of_type[resource_type] = Names(urls, resources)
        return found

    @cached_property
    def _places(self) -> dict[int, int]:
        return dict(zip(map(id, self._resources), range(len(self._resources)), strict=True))

    @cached_property
    def knows_servers(self) -> bool:
        """Tell whether any resource was sent with the address it has on a server."""
        return any(map(is_http, self._urls))

    def doubt(self, resource: Resource) -> str | None:
        """Return why what a resource says is not known, half a sentence; None when it is.

        The reason is empty where whoever left the resource out has told it.
        """
        return self._doubts.get(id(resource))

    def is_left_out(self, resource: Resource) -> bool:
        """Tell whether a resource (as it was sent) is only what could be read of it."""
        return id(resource) in self._told

    def place(self, resource: Resource) -> int:
        """Return where a resource stands in the order sent, after all others when it is inside."""
        return self._places.get(id(resource), len(self._resources))

    def full_url(self, resource: Resource) -> str:
        """Return the full URL that a resource was sent with, or an empty string."""
        place = self._places.get(id(resource))
        return "" if place is None else self._urls[place]

    def copy_of(self, resource: Resource, made: Resource) -> Resource:
        """Return the one copy that stands for a sent resource everywhere: the first that is made.

        The copy has the names of the resource.
        """
        if made is resource:
            return resource
        copy = self._copies.setdefault(id(resource), made)
        if id(resource) in self._places:
            self._places.setdefault(id(copy), self._places[id(resource)])
        return copy

    def is_sent(self, resource: Resource) -> bool:
        """Tell whether a resource, or what it is a copy of, stands in the content by itself."""
        return id(resource) in self._places

    def sent(self, resource: Resource) -> Resource:
        """Return the resource as it was sent that a copy stands for."""
        place = self._places.get(id(resource))
        return resource if place is None else self._resources[place]

    def coded(self, resource_type: str, path: str) -> Coded:
        """Return the resources of a type by the codes at a path."""
        found = self._coded.get((resource_type, path))
        if found is None:
            found = Coded(self.by_type.get(resource_type, ()), path)
            self._coded[(resource_type, path)] = found
        return found

    def holder_of(self, reference: Resource) -> Resource | None:
        """Return the resource that this very Reference to something contained stands in.

        A copy comes before what it is a copy of, as the parts that need no change are the same.
        """
        for resource in (*self._copies.values(), *self._resources):
            if "contained" in resource and _stands_in(resource, reference):
                return resource
        return None

    def find(self, reference: str, within: Resource | None) -> Found:
        """Return what a literal reference means, seen from the resource that holds it."""
        if reference.startswith("#"):
            return Found(_contained(reference[1:], within))
        server = "" if within is None else self.server_of(within)
        known = self._found.get((reference, server))
        if known is None:
            known = self._found[(reference, server)] = self._find(reference, server)
        return known

    def _find(self, reference: str, server: str) -> Found:
        search = search_in(reference)
        if search is not None:
            return Found(only(self.names_of(search.type).search(search)))
        resource_type = type_and_id(normal(reference))[0]
        names = self.names_of(resource_type) if resource_type else self._all_names
        return find(reference, server, names, knows_servers=self.knows_servers)

    def server_of(self, resource: Resource) -> str:
        """Return the server that a resource is on, empty when nobody knows."""
        url = self.full_url(resource)
        folder = url.rpartition("/")[0]
        server = self._servers.get(folder)
        if server is None:
            server = server_of(url)
            if not url.endswith("/"):
                self._servers[folder] = server
        return server

    def target(self, reference: Any, within: Resource | None) -> Found:
        """Return what a Reference (or its text) means."""
        if isinstance(reference, str):
            return self.find(reference, within)
        if not isinstance(reference, dict):
            return NOTHING
        literal = reference.get("reference")
        found = self.find(literal, within) if isinstance(literal, str) else NOTHING
        wanted = identifier(reference.get("identifier"))
        if wanted is None:
            return found
        if found.resource is not None:
            return NOTHING if contradicts(found.resource, wanted) else found
        return Found(self.by_identifier(wanted, reference.get("type")))

    def by_identifier(self, wanted: tuple[str, str], resource_type: Any) -> Resource | None:
        """Return the only resource (of a type, if one is given) with a business identifier."""
        kind = resource_type if isinstance(resource_type, str) else ""
        patients = self.names_of("Patient").holders(wanted) if kind in ("", "Patient") else []
        return only(patients or self._all_names.holders(wanted, kind))

    def reference_to(self, resource: Resource) -> str:
        """Return how other resources refer to this one: `Type/id`, or the URL it was sent with.

        Where several resources have the type and id, only the URL tells them apart.
        """
        id_, url = resource.get("id"), self.full_url(resource)
        if not isinstance(id_, str):
            return url
        resource_type = resource["resourceType"]
        if resource_type == "Patient" and id(resource) not in self._places:
            return ""  # a contained one: its id means nothing outside of its container
        if url and id_ in self._repeated(resource_type):
            return url
        return f"{resource_type}/{id_}"

    def of_name(self, name: str) -> Resource | None:
        """Return the resource that has `Type/id` for its name, None for a name of another form.

        A quick way for names that `reference_to` gave: nothing is resolved.
        """
        resource_type, _, id_ = name.partition("/")
        if resource_type not in self.by_type or id_ in self._repeated(resource_type):
            return None
        index = self._of_ids.get(resource_type)
        if index is None:
            resources = self.by_type[resource_type]
            index = {r["id"]: r for r in resources if isinstance(r.get("id"), str)}
            self._of_ids[resource_type] = index
        return index.get(id_)

    def _repeated(self, resource_type: str) -> frozenset[str]:
        """Return the ids that several resources of a type have: mostly none."""
        found = self._ids.get(resource_type)
        if found is None:
            ids = _ids(self.by_type.get(resource_type, ()))
            several = {} if len(set(ids)) == len(ids) else Counter(ids)
            found = frozenset(id_ for id_, count in several.items() if count > 1)
            self._ids[resource_type] = found
        return found


def _ids(resources: Sequence[Resource]) -> list[str]:
    """Return the ids that are texts; where all have one, which is common, in one pass in C."""
    try:
        ids = list(map(_ID, resources))
        "".join(ids)  # a TypeError for what is no text
    except (KeyError, TypeError):
        return [id_ for r in resources if isinstance(id_ := r.get("id"), str)]
    return ids


def contradicts(resource: Resource, wanted: tuple[str, str]) -> bool:
    """Tell whether a resource has other identifiers of a system than the one it is named by."""
    same = [value for system, value in identifiers(resource) if system == wanted[0] and system]
    return bool(same) and wanted[1] not in same


def _stands_in(resource: Resource, part: Any) -> bool:
    """Tell whether an object is one of the parts of a resource."""
    stack: list[Any] = [resource]
    while stack:
        value = stack.pop()
        if value is part:
            return True
        if isinstance(value, dict | list):
            stack.extend(value.values() if isinstance(value, dict) else value)
    return False


def _contained(id_: str, within: Resource | None) -> Resource | None:
    """Return a contained resource; a bare `#` means the container."""
    deadline.check()
    if within is None or not id_:
        return within
    contained = within.get("contained")
    for resource in contained if isinstance(contained, list) else ():
        if isinstance(resource, dict) and resource.get("id") == id_:
            return resource
    return None
