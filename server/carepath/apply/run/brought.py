"""What a plan or a resource of the data contains, brought along where the answer refers to it.

https://hl7.org/fhir/R4/references.html#contained
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

from carepath.apply.run.references import refers, with_references
from carepath.fhirpath import Node
from carepath.record import Record
from carepath.resources import Resource


class Holder(Protocol):
    """What holds the contained resources of an answer."""

    contained: list[Resource]

    def unique_id(self, name: str) -> str:
        """Return an id that no other resource of the answer has."""


class Brought:
    """The contained resources that were brought along, each once."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, str], str] = {}
        self._holders: dict[int, Resource] = {}
        """What holds what was brought; an id means one resource as long as it is kept."""

    def of_reference(self, reference: Resource, record: Record, holder: Holder) -> str | None:
        """Return the name by which the answer has what a Reference of the data means by `#id`.

        None where it is no Reference of the data, or leads to nothing there.
        """
        name, source = str(reference["reference"]), record.holder(reference)
        return None if source is None else self._bring_known(name, source, holder)

    def of_node(self, node: Node, record: Record, holder: Holder) -> Node:
        """Return a Reference in place of a resource that another one of the data contains."""
        resource = node.value
        if not isinstance(resource, dict) or "id" not in resource:
            return node
        if record.resolve(f"{resource.get('resourceType')}/{resource['id']}") is not None:
            return node
        source = _source(resource, record)
        name = source and self._bring_known(f"#{resource['id']}", source, holder)
        return Node({"reference": name}, "Reference") if name else node

    def cited(self, artifact: Resource, plan: Resource, holder: Holder) -> Resource:
        """Return a RelatedArtifact whose `#id` leads to the same in the answer, or to nothing."""
        text = str(artifact.get("resource", ""))
        if not text.startswith("#"):
            return artifact
        name = self._bring_known(text, plan, holder)
        kept = {key: value for key, value in artifact.items() if key != "resource"}
        return {**kept, "resource": name} if name else kept

    def _bring_known(self, name: str, source: Resource, holder: Holder) -> str | None:
        known = any(f"#{r.get('id')}" == name for r in source.get("contained") or ())
        return self.bring(name, source, holder) if known else None

    def bring(self, name: str, plan: Resource, holder: Holder) -> str:
        """Return the reference by which the answer has what `#id` means in a plan."""
        key = (id(plan), name)
        self._holders[id(plan)] = plan
        if key not in self._names:
            every = {f"#{r['id']}": r for r in plan.get("contained") or () if "id" in r}
            names = list(dict.fromkeys(_reached(name, every)))
            renamed = {old: f"#{holder.unique_id(old[1:])}" for old in names}
            self._names |= {(id(plan), old): new for old, new in renamed.items()}
            for old in names:
                made = _renamed(every[old], renamed)
                holder.contained.append({**made, "id": renamed[old][1:]})
        return self._names[key]


def _source(resource: Resource, record: Record) -> Resource | None:
    """Return the resource of the data that contains this one."""
    if "resourceType" not in resource:
        return None
    every = (source for name in record.types() for source in record.resources(name))
    return next((s for s in every if resource in (s.get("contained") or ())), None)


def _reached(name: str, every: dict[str, Resource]) -> Iterator[str]:
    """Yield a name and all that it leads to, by references and by canonicals."""
    waiting, seen = [name], {name}
    while waiting:
        current = waiting.pop(0)
        yield current
        for text in _texts(every[current]):
            if text in every and text not in seen:
                seen.add(text)
                waiting.append(text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if _is_list(value) else ():
        yield from _texts(item)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _renamed(value: Any, renamed: dict[str, str]) -> Any:
    """Return a value whose references and canonicals have the new names."""
    if isinstance(value, str):
        return renamed.get(value, value)
    if isinstance(value, list):
        return [_renamed(item, renamed) for item in value]
    if isinstance(value, dict):
        return {name: _renamed(item, renamed) for name, item in value.items()}
    return value


def lift_contained(
    resource: Resource, contained: Mapping[str, Resource], holder: Holder
) -> Resource:
    """Take along what a definition contains and its request refers to, under an own id."""
    renamed: dict[str, str] = {}
    taken: list[Resource] = []
    waiting = [resource]
    while waiting:
        current = waiting.pop(0)
        for id_, inner in contained.items():
            if f"#{id_}" not in renamed and refers(current, f"#{id_}"):
                renamed[f"#{id_}"] = f"#{holder.unique_id(id_)}"
                taken.append({**inner, "id": renamed[f"#{id_}"][1:]})
                waiting.append(inner)
    if not renamed:
        return resource
    holder.contained.extend(with_references(inner, renamed) for inner in taken)
    return cast("Resource", with_references(resource, renamed))
