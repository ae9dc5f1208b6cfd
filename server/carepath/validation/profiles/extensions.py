"""Extensions against their own definitions, wherever they stand.

https://hl7.org/fhir/R4/extensibility.html

An extension whose definition is not known here is let pass, as FHIR asks; a modifier extension that
is not known gives a warning, since it may change what the element means.
"""

from collections.abc import Iterator

from carepath.issues import Issue
from carepath.r4.model import is_subtype
from carepath.validation.profiles.conformance import ProfileWalk
from carepath.validation.profiles.tree import CORE, Node, Profile
from carepath.validation.walker import Item, every, named


def extension_issues(item: Item, walk: ProfileWalk) -> Iterator[Issue]:
    """Yield what is wrong with the extensions of an element and of all below it."""
    for holder in every(item):
        for name in ("extension", "modifierExtension"):
            for extension in named(holder, name):
                yield from _one(extension, holder, name == "modifierExtension", walk)


def _one(extension: Item, holder: Item, is_modifier: bool, walk: ProfileWalk) -> Iterator[Issue]:
    url = extension.members.get("url")
    profile = walk.find_profile(url) if isinstance(url, str) and ":" in url else None
    if profile is None:
        if is_modifier:
            text = f"The modifier extension `{url}` is not known here."
            yield Issue("warning", "extension", text, (extension.path,))
        return
    yield from walk.issues(extension, profile)
    yield from _undefined_parts(extension, profile, str(url))
    if profile.is_modifier != is_modifier:
        wanted = "a modifierExtension" if profile.is_modifier else "an extension"
        text = f"The extension `{url}` has to be {wanted}."
        yield Issue("error", "extension", text, (extension.path,))
    if profile.context and not any(_fits(holder, dict(entry)) for entry in profile.context):
        places = ", ".join(str(entry.get("expression")) for entry in profile.context)
        text = f"The extension `{url}` may not stand here; it may stand on: {places}."
        yield Issue("error", "extension", text, (extension.path,))


def _undefined_parts(extension: Item, profile: Profile, url: str) -> Iterator[Issue]:
    """Yield the parts of an extension that its definition does not have; foreign ones may be."""
    slices = profile.root.children.get("extension")
    defined = set(_parts(slices)) if slices is not None else set()
    for part in named(extension, "extension") if defined else ():
        name = part.members.get("url")
        if isinstance(name, str) and ":" not in name and name not in defined:
            text = f"The extension `{url}` has no part of this name."
            yield Issue("error", "extension", text, (part.path,))


def _parts(slices: Node) -> Iterator[str]:
    """Yield the names of the parts of an extension."""
    for part in slices.slices.values():
        own = part.children.get("url")
        fixed = own.required("fixed") if own is not None else None
        if isinstance(fixed, str):
            yield fixed


def _fits(holder: Item, context: dict[str, str]) -> bool:
    """Tell whether an extension with this context may stand on an element."""
    where = str(context.get("expression", "")).removeprefix(CORE)
    if context.get("type") == "extension":
        return holder.type == "Extension" and holder.members.get("url") == where
    if context.get("type") == "fhirpath":
        return True  # A rule in FHIRPath over the whole resource; it is not evaluated here.
    if where in ("Element", holder.definition, holder.definition.removesuffix("[x]")):
        return True
    return is_subtype(holder.type, where)
