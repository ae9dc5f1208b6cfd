"""Validation as `$validate` means it: structure, invariants, extensions and profiles.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from carepath.issues import Issue, Severity
from carepath.knowledge import Knowledge
from carepath.r4.published import published
from carepath.resources import Resource
from carepath.validation.advice import remarks
from carepath.validation.invariants import Evaluation, base_issues
from carepath.validation.profiles.bindings import Membership
from carepath.validation.profiles.conformance import ProfileWalk, core_type
from carepath.validation.profiles.extensions import extension_issues
from carepath.validation.profiles.references import References
from carepath.validation.profiles.tree import Profile, compile_profile
from carepath.validation.profiles.vital_signs import vital_sign_profiles
from carepath.validation.rules.table import rule_issues
from carepath.validation.structure.check import check_structure
from carepath.validation.structure.locations import resource_type_of
from carepath.validation.walker import Item, every, root_item
from carepath.validation.well_shaped import well_shaped

MODES = ("create", "update", "delete", "profile")

Find = Callable[[str], Resource | None]
"""Return the StructureDefinition of a canonical, None when it is not known."""


def validate(
    resource: Any,
    *,
    definitions: Knowledge | Find,
    terminology: Membership | None = None,
    profiles: Iterable[str] = (),
    mode: str | None = None,
    now: datetime | None = None,
) -> tuple[Issue, ...]:
    """Return all that is wrong or worth knowing about a resource, errors first in each part.

    Checked are structure and invariants of R4, extensions, the profiles that the resource and those
    inside it claim in `meta.profile`, and the `profiles` asked for.  With mode `profile` only the
    latter count; `create` and `update` also look at the id; `delete` looks at no content.
    `terminology` is that of the definitions unless given (a mere function has none); `now` is the
    clock's unless given.
    """
    asked = tuple(profiles)
    found = list(_of_mode(resource, mode, asked))
    if mode != "delete":
        structure = check_structure(resource)
        found += structure
        readable = well_shaped(resource) if structure else resource
        if readable:
            walk = profile_walk(readable, definitions, terminology, now)
            found += _of_content(readable, walk, asked, claims=mode != "profile")
    return tuple(dict.fromkeys(found))


def profile_walk(
    resource: Any,
    definitions: Knowledge | Find,
    terminology: Membership | None = None,
    now: datetime | None = None,
) -> ProfileWalk:
    """Return what checks a resource and its elements against the profiles of the definitions."""
    references = References(resource)
    known = terminology or _terminology_of(definitions)
    walk = ProfileWalk(
        find_profile=profile_finder(definitions),
        terminology=known,
        evaluation=Evaluation(
            now=datetime.now(UTC) if now is None else now,
            find=references.find,
            terminology=known,
            conforms_to=lambda inside, canonical: walk.conforms(root_item(inside), canonical),
        ),
        references=references,
    )
    return walk


def profile_finder(definitions: Knowledge | Find) -> Callable[[str], Profile | None]:
    """Return the way to find a profile by canonical, R4's own included; each is compiled once."""

    def find(canonical: str) -> Profile | None:
        if isinstance(definitions, Knowledge):
            found = definitions.find(canonical, resource_type="StructureDefinition")
        else:
            found = definitions(canonical)
        found = found or published("StructureDefinition", canonical)
        return None if found is None else _compiled(_Same(found))

    return find


class _Same:
    """A definition as a key: the same object, whatever it holds."""

    __slots__ = ("definition",)

    def __init__(self, definition: Resource) -> None:
        self.definition = definition

    def __hash__(self) -> int:
        return id(self.definition)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.definition is self.definition


@lru_cache(maxsize=512)
def _compiled(key: _Same) -> Profile | None:
    return compile_profile(key.definition)


def _terminology_of(definitions: Knowledge | Find) -> Membership:
    if isinstance(definitions, Knowledge):
        return definitions.terminology
    return Knowledge.of(()).terminology


def _of_content(
    resource: Any, walk: ProfileWalk, asked: tuple[str, ...], *, claims: bool
) -> Iterator[Issue]:
    item = root_item(resource)
    yield from base_issues(item, walk.evaluation)
    yield from rule_issues(item, walk.terminology)
    yield from remarks(item)
    yield from extension_issues(item, walk)
    for canonical in asked:
        yield from _of_profile(item, canonical, walk, "error")
    if claims:
        for inside in every(item):
            if inside.value is inside.resource:
                claimed = _claimed(inside)
                for canonical in dict.fromkeys((*claimed, *vital_sign_profiles(inside.value))):
                    yield from _of_profile(inside, canonical, walk, "warning")


def _of_profile(
    item: Item, canonical: str, walk: ProfileWalk, when_unknown: Severity
) -> Iterator[Issue]:
    """Yield what a profile objects to, or that it is not known."""
    if walk.find_profile(canonical) is None and not core_type(canonical):
        text = f"The profile `{canonical}` is not known here; it was not checked."
        yield Issue(when_unknown, "not-found", text, (item.path,))
        return
    yield from walk.canonical_issues(item, canonical)


def _claimed(item: Item) -> list[str]:
    """Return the profiles that a resource says it conforms to."""
    meta = item.members.get("meta")
    claimed = meta.get("profile") if isinstance(meta, Mapping) else None
    return [c for c in claimed if isinstance(c, str)] if isinstance(claimed, list) else []


def _of_mode(resource: Any, mode: str | None, asked: tuple[str, ...]) -> Iterator[Issue]:
    """Yield what the mode asks for beyond the content."""
    place = (resource_type_of(resource) or "Resource",)
    if mode is not None and mode not in MODES:
        text = f"The mode `{mode}` is not known; expected one of {', '.join(MODES)}."
        yield Issue("error", "code-invalid", text, place)
    elif mode == "profile" and not asked:
        text = "The mode `profile` needs a profile to check against."
        yield Issue("error", "required", text, place)
    elif mode == "delete":
        text = "The content was not checked; nothing here stands against a delete."
        yield Issue("information", "informational", text, place)
    elif mode in ("create", "update"):
        yield from _of_identity(resource, mode)


def _of_identity(resource: Any, mode: str) -> Iterator[Issue]:
    """Yield what is wrong with the id of a resource that is to be created or updated."""
    type_ = resource_type_of(resource) or "Resource"
    has_id = isinstance(resource, dict) and "id" in resource
    if mode == "update" and not has_id:
        yield Issue("error", "required", "An update needs an id.", (f"{type_}.id",))
    if mode == "create" and has_id:
        text = "The id is not used in a create; the server gives a new one."
        yield Issue("information", "informational", text, (f"{type_}.id",))
