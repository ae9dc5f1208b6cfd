"""Folders of content with the names of their files, so that a finding can say where it stands."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from carepath.authoring.lint import Finding, key_of
from carepath.issues import Issue
from carepath.knowledge import Knowledge, passed_over
from carepath.knowledge.loader import read_folder, read_shipped
from carepath.resources import Resource


@dataclass(frozen=True)
class Loaded:
    """Shipped definitions with those of a deployment, and the file of each of these by its key."""

    knowledge: Knowledge
    files: Mapping[str, str]


def shipped_files() -> dict[str, str]:
    """Return the files of the shipped definitions by their keys."""
    return {key_of(resource): name for name, resource in read_shipped()}


def loaded_from(content: Iterable[Path]) -> Loaded:
    """Return the shipped definitions and those of folders; raises InvalidContent."""
    knowledge = Knowledge.shipped()
    own: dict[str, str] = {}
    for folder in content:
        sources = read_folder(folder)
        knowledge = knowledge.with_definitions(resource for _, resource in sources)
        own |= {key_of(resource): str(folder / name) for name, resource in sources}
    return Loaded(knowledge, own)


def own_definitions(loaded: Loaded) -> list[Resource]:
    """Return the definitions of the folders themselves, in the order of their types."""
    held = loaded.knowledge
    return [d for t in held.types() for d in held.all(t) if key_of(d) in loaded.files]


def not_read(folders: Iterable[Path]) -> Iterator[Finding]:
    """Yield a finding for each file that nobody reads; one that holds FHIR is an error."""
    for folder in folders:
        for one in passed_over(folder):
            issue = Issue("error" if one.holds_fhir else "warning", "processing", one.sentence)
            yield Finding(str(folder / one.name), "is_read", issue)
