"""The definitions that a deployment works with, immutable, found by canonical, id or URN.

https://hl7.org/fhir/R4/references.html#canonical
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from carepath.canonical import Canonical
from carepath.errors import DefinitionNotFound, UnresolvedCanonical
from carepath.formats.json import encode
from carepath.knowledge.loader import read_folder, read_shipped
from carepath.knowledge.terminology import Terminology
from carepath.knowledge.versions import version_key
from carepath.resources import Resource, canonical_of

T = TypeVar("T")

_URI_SYSTEM = "urn:ietf:rfc:3986"


class Knowledge:
    """Definitions by canonical and id; several versions of one canonical stand side by side.

    Nothing changes after construction: `with_definitions` returns a new Knowledge.  What is derived
    from the definitions (compiled plans, expansions) is kept by `derived`, once for all threads.
    """

    def __init__(self, definitions: Iterable[Resource]) -> None:
        """Index definitions; a later one replaces an earlier one of the same url and version."""
        unique: dict[Any, Resource] = {}
        for definition in definitions:
            is_named = "url" in definition or "id" in definition
            name = canonical_of(definition) if is_named else id(definition)
            unique[(definition["resourceType"], name)] = definition
        self._definitions = tuple(unique.values())
        self._by_url: dict[str, list[Resource]] = {}
        self._by_id: dict[tuple[str, str], list[Resource]] = {}
        for definition in self._definitions:
            for url in _urls(definition):
                self._by_url.setdefault(url, []).append(definition)
            if isinstance(definition.get("id"), str):
                key = (definition["resourceType"], definition["id"])
                self._by_id.setdefault(key, []).append(definition)
        for found in (*self._by_url.values(), *self._by_id.values()):
            found.sort(key=lambda d: version_key(str(d.get("version", ""))), reverse=True)
        self._derived: dict[Callable[[Knowledge], Any], Any] = {}
        self._lock = RLock()
        self._made_of: tuple[Knowledge, tuple[Resource, ...]] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by what it was made of; what is derived is made again where it is unpacked."""
        if self is _shipped():
            return _shipped, ()
        if self._made_of is not None:
            return _added, self._made_of
        return _alone, (self._definitions,)

    @cached_property
    def fingerprint(self) -> str:
        """Return a text that two Knowledges share when their definitions are the same."""
        return sha256(encode(self._definitions)).hexdigest()

    @classmethod
    def shipped(cls) -> "Knowledge":
        """Return the definitions that are part of this package."""
        return _shipped()

    @classmethod
    def from_folder(cls, folder: str | Path) -> "Knowledge":
        """Return the definitions of a folder; raises InvalidContent naming file and element."""
        return cls(resource for _, resource in read_folder(Path(folder)))

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> "Knowledge":
        """Return these definitions, and nothing else."""
        return cls(resources)

    def with_definitions(self, resources: Iterable[Resource]) -> "Knowledge":
        """Return a new Knowledge that also has these; the same url and version is replaced."""
        added = tuple(resources)
        if not added:
            return self
        made = Knowledge((*self._definitions, *added))
        made._made_of = (self, added)
        return made

    def with_folder(self, folder: str | Path) -> "Knowledge":
        """Return a new Knowledge that also has the definitions of a folder."""
        return self.with_definitions(resource for _, resource in read_folder(Path(folder)))

    def replacing(self, definition: Resource) -> "Knowledge":
        """Return a new Knowledge with a definition in the place of that of its url and version.

        It must be no terminology: the expansions are those of before.
        """
        changed = self.with_definitions([definition])
        changed.__dict__["terminology"] = self.terminology
        return changed

    @property
    def base(self) -> "Knowledge":
        """Return what is held without what came with a request: this."""
        return self

    def all(self, resource_type: str) -> tuple[Resource, ...]:
        """Return all definitions of a type, every version, in the order they were read."""
        return tuple(d for d in self._definitions if d["resourceType"] == resource_type)

    def types(self) -> tuple[str, ...]:
        """Return the types of which there are definitions."""
        return tuple(dict.fromkeys(d["resourceType"] for d in self._definitions))

    def plan(self, id_or_canonical: str) -> Resource:
        """Return a PlanDefinition by id, `PlanDefinition/id`, url or `url|version`."""
        return self.definition("PlanDefinition", id_or_canonical)

    def definition(self, resource_type: str, id_or_canonical: str) -> Resource:
        """Return a definition of a type; raises DefinitionNotFound."""
        found = self._of_id(resource_type, id_or_canonical.removeprefix(f"{resource_type}/"))
        if found:
            return found[0]
        for definition in self._matching(Canonical.parse(id_or_canonical)):
            if definition["resourceType"] == resource_type:
                return definition
        raise DefinitionNotFound(resource_type, id_or_canonical)

    def find(
        self, canonical: str, within: Resource | None = None, resource_type: str = ""
    ) -> Resource | None:
        """Return what a canonical means, None when it leads nowhere.

        `#id` is looked for among the contained resources of `within`, `Type/id` among the ids; the
        newest version answers when none is pinned.  The type is never read off the URL.
        """
        parsed = Canonical.parse(canonical)
        if parsed.is_contained:
            return _contained(parsed.fragment, within)
        found = [*self._matching(parsed), *self._by_relative(parsed)]
        for definition in found:
            if not resource_type or definition["resourceType"] == resource_type:
                return definition
        return None

    def resolve(self, canonical: str, within: Resource | None = None) -> Resource:
        """Return what a canonical means; raises UnresolvedCanonical when it leads nowhere."""
        found = self.find(canonical, within)
        if found is None:
            wanted_by = canonical_of(within) if within is not None else "the request"
            raise UnresolvedCanonical(canonical, wanted_by)
        return found

    def holds(self, definition: Resource) -> bool:
        """Tell whether this very object is one of the definitions."""
        return any(
            d is definition for d in self._by_url.get(str(definition.get("url")), ())
        ) or any(
            d is definition
            for d in self._by_id.get((definition["resourceType"], str(definition.get("id"))), ())
        )

    def itself(self, definition: Resource) -> Resource:
        """Return the object that stands for a definition that came with a request: that one."""
        return definition

    @cached_property
    def terminology(self) -> Terminology:
        """Return the code systems and value sets, with their expansions."""
        return Terminology(
            code_systems=self.all("CodeSystem"),
            find_value_set=lambda url: self.find(url, resource_type="ValueSet"),
        )

    def derived(self, make: Callable[["Knowledge"], T]) -> T:
        """Return what a function makes of this knowledge, made once; other threads wait for it."""
        try:
            return cast("T", self._derived[make])
        except KeyError:
            with self._lock:
                if make not in self._derived:
                    self._derived[make] = make(self)
                return cast("T", self._derived[make])

    def _matching(self, canonical: Canonical) -> list[Resource]:
        """Return the definitions with this url, of the version when one is named."""
        found = self._by_url.get(canonical.url, [])
        if not canonical.version:
            return found
        return [d for d in found if str(d.get("version", "")) == canonical.version]

    def _by_relative(self, canonical: Canonical) -> list[Resource]:
        """Return the definitions that a relative reference such as `Library/id` means."""
        resource_type, _, id_ = canonical.url.rpartition("/")
        return self._of_id(resource_type, id_)

    def _of_id(self, resource_type: str, id_: str) -> list[Resource]:
        """Return the definitions of a type and id, the newest first."""
        return self._by_id.get((resource_type, id_), [])


@cache
def _shipped() -> Knowledge:
    return Knowledge(resource for _, resource in read_shipped())


_UNPACKED: WeakValueDictionary[str, Knowledge] = WeakValueDictionary()
"""What was unpacked in this process: the same definitions are compiled once, however often they
come."""


def _added(base: Knowledge, added: tuple[Resource, ...]) -> Knowledge:
    return _once(base.with_definitions(added))


def _alone(definitions: tuple[Resource, ...]) -> Knowledge:
    return _once(Knowledge(definitions))


def _once(made: Knowledge) -> Knowledge:
    return _UNPACKED.setdefault(made.fingerprint, made)


def _urls(definition: Resource) -> list[str]:
    """Return the URL of a definition and the URIs among its identifiers."""
    identifiers = definition.get("identifier")
    found = [definition.get("url")]
    for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(identifier, Mapping) and identifier.get("system") == _URI_SYSTEM:
            found.append(identifier.get("value"))
    return list(dict.fromkeys(url for url in found if isinstance(url, str)))


def _contained(id_: str, within: Resource | None) -> Resource | None:
    """Return a contained resource by its id."""
    contained = within.get("contained", ()) if within is not None else ()
    return next((r for r in contained if r.get("id") == id_), None)
