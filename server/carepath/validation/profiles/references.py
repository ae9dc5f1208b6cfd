"""What a reference inside a validated resource leads to, without leaving that resource.

https://hl7.org/fhir/R4/bundle.html#references
"""

from collections.abc import Mapping
from typing import Any

from carepath.r4.model import RESOURCE_TYPES
from carepath.validation.walker import Item


class References:
    """The resources around: entries of a Bundle by full URL and `Type/id`, and contained ones."""

    def __init__(self, resource: Any) -> None:
        """Index the entries of a Bundle; any other resource has its contained ones only."""
        self._names: dict[str, Any] = {}
        entries = resource.get("entry") if isinstance(resource, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            self._add(entry)

    def _add(self, entry: Any) -> None:
        target = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(target, dict):
            return
        for name in (entry.get("fullUrl"), f"{target.get('resourceType')}/{target.get('id')}"):
            if isinstance(name, str):
                self._names.setdefault(name, target)

    def find(self, reference: str, root: Any) -> Any:
        """Return the resource that a reference in `root` means, None when it is not here."""
        if reference.startswith("#"):
            return _contained(reference[1:], root)
        plain = reference.partition("/_history/")[0]
        if plain in self._names:
            return self._names[plain]
        tail = "/".join(plain.rsplit("/", 2)[-2:])
        return self._names.get(tail) if type_in(plain) else None

    def target(self, item: Item) -> Any:
        """Return the resource that a Reference or canonical element leads to, or None."""
        text = item.members.get("reference") if item.type == "Reference" else item.value
        return self.find(text, item.root) if isinstance(text, str) else None


def type_in(reference: str) -> str:
    """Return the resource type that a literal reference names, empty when it names none."""
    before, _, id_ = reference.partition("/_history/")[0].rpartition("/")
    name = before.rpartition("/")[2]
    return name if id_ and name in RESOURCE_TYPES else ""


def target_type(item: Item, references: References) -> str:
    """Return the type of what a Reference points to, as far as it can be told."""
    target = references.target(item)
    if isinstance(target, Mapping):
        return str(target.get("resourceType", ""))
    stated = item.members.get("type")
    if isinstance(stated, str) and stated in RESOURCE_TYPES:
        return stated
    text = item.members.get("reference")
    return type_in(text) if isinstance(text, str) else ""


def _contained(id_: str, root: Any) -> Any:
    if not isinstance(root, dict):
        return None
    contained = root.get("contained")
    found = [
        one
        for one in (contained if isinstance(contained, list) else ())
        if isinstance(one, dict) and one.get("id") == id_
    ]
    return found[0] if found else (root if not id_ else None)
