"""The CDS Services there are: each plan whose actions wait for the named event of a hook.

https://cds-hooks.hl7.org/2.0/#discovery and
https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.trigger

A plan that waits for several hooks is a service for each of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carepath.apply import data_requirements
from carepath.apply.compile.activity import subject_types
from carepath.errors import CarepathError
from carepath.knowledge import Knowledge
from carepath.resources import Resource
from carepath.web.cds_hooks.hooks import is_hook
from carepath.web.cds_hooks.prefetch import templates
from carepath.web.http.refusals import UnknownEndpoint


@dataclass(frozen=True, slots=True)
class CdsService:
    """One plan that answers one hook."""

    id: str
    hook: str
    plan: Resource
    prefetch: Mapping[str, str]
    """The queries for the data that the plan reads, by key."""

    def as_json(self) -> dict[str, Any]:
        """Return the service as discovery lists it."""
        title = str(self.plan.get("title") or self.plan.get("name") or self.plan["id"])
        about = str(self.plan.get("description") or title)
        made = {"hook": self.hook, "title": title, "description": about, "id": self.id}
        return {**made, "prefetch": dict(self.prefetch)}


class CdsServices:
    """The CDS Services of one Knowledge, worked out when first asked for."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._by_id: dict[str, CdsService] = {}
        for service in _services(knowledge):
            self._by_id.setdefault(service.id, service)

    @property
    def all(self) -> tuple[CdsService, ...]:
        """Return the services in the order of their plans."""
        return tuple(self._by_id.values())

    def named(self, id: str) -> CdsService:
        """Return the service of an id; raises UnknownEndpoint."""
        found = self._by_id.get(id)
        if found is None:
            raise UnknownEndpoint("There is no such CDS Service; `/cds-services` lists them.")
        return found

    def document(self) -> dict[str, Any]:
        """Return the answer to discovery."""
        return {"services": [service.as_json() for service in self.all]}


def hooks_of(owner: Resource) -> list[str]:
    """Return the hooks that a plan, or an action with all below it, waits for, each once."""
    found: dict[str, None] = dict.fromkeys(own_hooks(owner))
    for action in owner.get("action") or ():
        found |= dict.fromkeys(hooks_of(action))
    return list(found)


def own_hooks(action: Resource) -> Iterator[str]:
    """Yield the hooks that an action itself waits for."""
    for trigger in action.get("trigger") or ():
        name = trigger.get("name")
        if trigger.get("type") == "named-event" and is_hook(name):
            yield str(name)


def _services(knowledge: Knowledge) -> Iterator[CdsService]:
    for plan in _plans(knowledge):
        hooks = hooks_of(plan)
        if not hooks:
            continue
        try:
            requirements = data_requirements(plan, knowledge).get("dataRequirement", ())
        except CarepathError:
            # The log of the start says what is wrong with it.
            continue
        queries = templates(requirements)
        for hook in hooks:
            yield CdsService(f"{plan['id']}-{hook}", hook, plan, queries)


def _plans(knowledge: Knowledge) -> Iterator[Resource]:
    """Yield the plans about patients, of each id the newest version, those retired left out."""
    ids = dict.fromkeys(str(p["id"]) for p in knowledge.all("PlanDefinition") if p.get("id"))
    for id_ in ids:
        plan = knowledge.definition("PlanDefinition", id_)
        if plan.get("status") != "retired" and "Patient" in (subject_types(plan) or ("Patient",)):
            yield plan
