"""What a clinician can accept with one click: the draft requests of a plan, as actions.

https://cds-hooks.hl7.org/2.0/#suggestion and https://cds-hooks.hl7.org/2.0/#action
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from carepath.apply import Applied
from carepath.apply.page.sheet import Item
from carepath.apply.run.references import refers, with_references
from carepath.apply.run.step import Step
from carepath.resources import Resource, concept_text
from carepath.web.cds_hooks.markdown import cut

_MOST = 100
"""Characters of a label: it stands on a button."""
_ANY_NUMBER = ("any", "all", "one-or-more", "all-or-none")
_NAMES = ("code", "medicationCodeableConcept")
Json = dict[str, Any]


def behavior_of(selection: str) -> str:
    """Return how many suggestions may be taken, as cards say it, for a FHIR selectionBehavior."""
    return "any" if selection in _ANY_NUMBER else "at-most-one"


def suggestion(label: str, uuid: str, actions: list[Json]) -> Json:
    """Return a suggestion; what has no value is absent."""
    made: Json = {"label": cut(label, _MOST), "uuid": uuid}
    return made | ({"actions": actions} if actions else {})


class Requests:
    """The draft requests of one application, each made to stand alone."""

    def __init__(self, applied: Applied, uuid: Callable[[str], str]) -> None:
        self._held = {f"#{one['id']}": one for one in applied.resources}
        made = (step.made for step in applied.steps if step.made is not None)
        self._uuid = uuid
        self._names = {f"#{one['id']}": self._name(one) for one in made}

    def creation(self, item: Item, step: Step) -> list[Json]:
        """Return the action that creates the request of a step; none where there is none."""
        if step.made is None:
            return []
        about = f"{item.title}: {item.text}" if item.text else item.title
        resource = self._alone(step.made)
        return [{"type": "create", "description": cut(about, 2 * _MOST), "resource": resource}]

    def _alone(self, made: Resource) -> Resource:
        """Return a request under an id that stays the same, with what it refers to.

        Other requests of the same answer are named by the ids that they get, and all else that it
        refers to is contained.
        """
        named: Resource = with_references({**made, "id": self._uuid(made["id"])}, self._names)
        inside = [one for name, one in self._held.items() if refers(named, name)]
        if not inside:
            return named
        head = {"resourceType": named["resourceType"], "id": named["id"], "contained": inside}
        return head | {name: value for name, value in named.items() if name not in head}

    def _name(self, made: Resource) -> str:
        return f"{made['resourceType']}/{self._uuid(made['id'])}"


def removals(drafts: Mapping[str, Resource], cited: Iterable[str], label: str) -> list[Json]:
    """Return the actions that delete the draft orders that a warning rests on."""
    return [
        {"type": "delete", "description": f"{label}: {_called(drafts[name])}", "resourceId": name}
        for name in dict.fromkeys(cited)
        if name in drafts
    ]


def _called(order: Resource) -> str:
    names = (concept_text(order.get(name)) for name in _NAMES)
    return cut(next(filter(None, names), str(order["resourceType"])), _MOST)
