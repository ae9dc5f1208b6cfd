"""What the explorer knows of the plans of a service: outlines, statements, what leads where.

Worked out when first shown, and once for each Knowledge.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from carepath.apply.compile.extensions import OWN, extensions_at, parts_of, texts_of
from carepath.apply.drawing import Outline, branches_of, outline_of
from carepath.authoring.statements import statements_of
from carepath.canonical import Canonical
from carepath.knowledge import Knowledge, top_level_plans
from carepath.resources import Resource


@dataclass(frozen=True, slots=True)
class Statement:
    """What a source says, in the words of the content, and where it stands."""

    id: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Source:
    """A document that a plan is made from."""

    label: str
    text: str
    is_unreviewed: bool


class Plans:
    """The plans of one Knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._outlines: dict[int, Outline] = {}

    def outline(self, plan: Resource) -> Outline:
        """Return the outline of a plan."""
        found = self._outlines.get(id(plan))
        if found is None:
            # Definitions live as long as their Knowledge, so that an id stays theirs.
            found = self._outlines[id(plan)] = outline_of(plan, self._knowledge.find)
        return found

    @cached_property
    def entries(self) -> tuple[Resource, ...]:
        """Return the plans to begin with."""
        return tuple(top_level_plans(self._knowledge))

    @cached_property
    def parts(self) -> tuple[Resource, ...]:
        """Return the other plans, in the order in which those to begin with lead to them."""
        found: dict[str, Resource] = {}
        for plan in self.entries:
            self._follow(plan, found)
        known = {_key(plan) for plan in self.entries}
        others = {_key(plan): plan for plan in self._knowledge.all("PlanDefinition")}
        every = {**found, **{key: p for key, p in others.items() if key not in found}}
        return tuple(plan for key, plan in every.items() if key not in known)

    def _follow(self, plan: Resource, found: dict[str, Resource]) -> None:
        for target in self.leads_to(plan):
            if _key(target) not in found:
                found[_key(target)] = target
                self._follow(target, found)

    def leads_to(self, plan: Resource) -> Iterator[Resource]:
        """Yield the plans that the actions of a plan lead to."""
        for canonical in _canonicals(plan):
            target = self._knowledge.find(canonical)
            if target is not None and target.get("resourceType") == "PlanDefinition":
                yield target

    def used_by(self, plan: Resource) -> list[Resource]:
        """Return the plans that lead to a plan."""
        url = plan.get("url")
        return [
            other
            for other in (*self.entries, *self.parts)
            if any(Canonical.parse(c).url == url for c in _canonicals(other))
        ]

    @cached_property
    def disclaimers(self) -> tuple[str, ...]:
        """Return what the plans to begin with say against being relied on, each once."""
        return tuple(dict.fromkeys(t for plan in self.entries for t in disclaimers_of(plan)))

    @cached_property
    def statements(self) -> dict[str, Statement]:
        """Return every statement of the sources by its id."""
        return {id_: _statement(id_, c) for id_, c in statements_of(self._knowledge).items()}

    def cited(self, plan: Resource) -> list[Statement]:
        """Return the statements that the actions of a plan rest on, in the order of the plan."""
        ids = (source for _, b in branches_of(self.outline(plan).branches) for source in b.sources)
        return [self.statements.get(id_) or Statement(id_, "", "") for id_ in dict.fromkeys(ids)]


def _key(plan: Resource) -> str:
    """Return what is the same for all versions of a plan."""
    return str(plan.get("url") or plan.get("id"))


def sources_of(plan: Resource) -> list[Source]:
    """Return the documents that a plan says it is made from."""
    return [
        Source(
            str(artifact.get("label") or ""),
            str(artifact.get("citation") or artifact.get("display") or ""),
            any(mark.get("valueBoolean") for mark in extensions_at(artifact, f"{OWN}unreviewed")),
        )
        for artifact in plan.get("relatedArtifact") or ()
        if artifact.get("type") == "derived-from"
    ]


def phases_of(plan: Resource) -> list[str]:
    """Return the phases of care that a plan leads through."""
    found = (parts_of(e).get("title", {}) for e in extensions_at(plan, f"{OWN}care-phase"))
    return [str(title["valueString"]) for title in found if "valueString" in title]


def disclaimers_of(plan: Resource) -> list[str]:
    """Return what a plan says against being relied on."""
    return list(texts_of(plan, f"{OWN}disclaimer"))


def _canonicals(definition: Resource) -> Iterator[str]:
    for action in definition.get("action") or ():
        canonical = action.get("definitionCanonical")
        if isinstance(canonical, str):
            yield canonical
        yield from _canonicals(action)


def _statement(id_: str, concept: Resource) -> Statement:
    properties = {p.get("code"): p.get("valueString") for p in concept.get("property") or ()}
    place = ", ".join(
        f"{word}{properties[name]}"
        for name, word in (("source", ""), ("line", "line "))
        if properties.get(name)
    )
    return Statement(id_, str(concept.get("display") or concept.get("definition") or ""), place)
