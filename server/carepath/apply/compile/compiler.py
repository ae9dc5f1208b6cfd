"""Compile a PlanDefinition once: canonicals resolved, expressions parsed, results laid out.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from carepath.apply.compile.activity import (
    CompiledActivity,
    compile_activity,
    compile_dynamic_values,
    subject_type,
)
from carepath.apply.compile.compiled import CompiledAction, CompiledPlan
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import (
    STANDARD_NAMES,
    VARIABLE,
    Fact,
    Names,
    Parameter,
    library_names,
)
from carepath.apply.compile.translation import languages_in, translated
from carepath.apply.issues import issue_of
from carepath.apply.languages import ExpressionLanguage
from carepath.apply.request import ApplySettings
from carepath.errors import (
    ContentError,
    CyclicDefinition,
    InvalidContent,
    UnresolvedCanonical,
    UnsupportedFeature,
)
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.knowledge.shape import shape_problems
from carepath.resources import Resource, canonical_of, codings, concept_text

OWN = "https://carepath.example/fhir/StructureDefinition/"
DIRECTION = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-directionOfRecommendation"
APPLICABILITY_BEHAVIOR = "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior"
_ACTION_TYPE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/action-type", "code": "create"}]
}
_COPIED = (
    "extension",
    "prefix",
    "title",
    "description",
    "textEquivalent",
    "priority",
    "code",
    "documentation",
    "timingDateTime",
    "timingAge",
    "timingPeriod",
    "timingDuration",
    "timingRange",
    "timingTiming",
    "type",
    "groupingBehavior",
    "selectionBehavior",
    "requiredBehavior",
    "precheckBehavior",
    "cardinalityBehavior",
)
_OPTIONS = {"any", "exactly-one", "at-most-one", "one-or-more"}
_NOT_COPIED = {VARIABLE, APPLICABILITY_BEHAVIOR, OWN + "never-undetermined"}
"""Extensions that steer the engine or the author's checks and say nothing about the result."""
_CQF = "http://hl7.org/fhir/StructureDefinition/"
_CARRIED_AS = {
    _CQF + "cqf-strengthOfRecommendation": OWN + "strength-of-recommendation",
    _CQF + "cqf-qualityOfEvidence": OWN + "quality-of-evidence",
}
"""Extensions that HL7 allows on an action of a plan but not on one of a RequestGroup."""


class Compiler:
    """Compiles plans and what they lead to, in one language and with one set of settings."""

    def __init__(self, knowledge: Knowledge, settings: ApplySettings, language: str) -> None:
        self._knowledge = knowledge
        self._settings = settings
        self._languages: Mapping[str, ExpressionLanguage] = settings.languages
        self._asked_language = language
        # Only languages that definitions are translated into are told apart, so that what is kept
        # does not grow with what callers ask for.
        known = knowledge.memo("languages", lambda: languages_of(knowledge))
        is_known = not known.isdisjoint((language.lower(), language.lower().partition("-")[0]))
        self._language = language if is_known else ""
        self._begun: frozenset[int] = frozenset()
        """The plans whose compilation has begun, by the `id()` of their definition."""
        self._circles = 0
        """How many circles were met."""
        self._passing: dict[Any, Any] | None = None
        """What is compiled for a definition that is not of the knowledge, and not kept."""
        self._setup = (
            self._language,
            settings.request_status,
            settings.carry_conditions,
            settings.create_type,
            id(settings.languages),
        )

    def plan(self, definition: Resource) -> CompiledPlan:
        """Return the compiled plan; raises InvalidContent."""
        self._start(definition)
        return self._plan(definition, ())

    def activity(self, definition: Resource) -> CompiledActivity:
        """Return the compiled ActivityDefinition; raises InvalidContent."""
        self._start(definition)
        return self._activity(definition, definition)

    def _start(self, definition: Resource) -> None:
        """Prepare for a definition; nothing of one that only came with a request is kept."""
        is_kept = self._knowledge.recalled(("kept", id(definition)))
        if is_kept is None and self._knowledge.holds(definition):
            is_kept = self._knowledge.memo(("kept", id(definition)), lambda: True)
        if not is_kept:
            self._passing = {}
            self._language = self._asked_language

    def _memo(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was made for a key before, for all requests or for this one."""
        if self._passing is None:
            return self._knowledge.memo(key, make)
        if key not in self._passing:
            self._passing[key] = make()
        return self._passing[key]

    def _formula(self, element: Resource) -> Formula:
        """Return the compiled expression; the same text is compiled once for all definitions."""
        meaning: Any = (element.get("language"), element.get("expression"))
        if "extension" in element or "expression" not in element:
            # An alternative may stand in for what is written: the element itself is meant.
            meaning = id(element)
        key = ("formula", meaning, id(self._languages))
        found: Formula = self._memo(
            key, lambda: (Formula(element, self._languages), self._languages, element)
        )[0]
        return found

    def _once(self, kind: object, definition: Resource, make: Callable[[], Any]) -> Any:
        """Return what was compiled before when the definition belongs to the knowledge."""
        # A Library that is reached directly is the same whoever names it.
        is_shared = isinstance(kind, tuple) and kind[0] == "library" and len(kind[1]) == 1
        if self._passing is not None and not is_shared:
            return make()
        key = (kind, id(definition), self._setup)
        found = self._knowledge.recalled(key)
        if found is not None:
            return found[0]
        if not self._knowledge.holds(definition):
            return make()
        # The languages stand in the value too, so that their id cannot be reused.
        return self._knowledge.memo(key, lambda: (make(), self._languages))[0]

    def _plan(self, definition: Resource, chain: tuple[str, ...]) -> CompiledPlan:
        canonical = canonical_of(definition)
        if canonical in chain:
            self._circles += 1
            raise CyclicDefinition((*chain[chain.index(canonical) :], canonical))
        if chain and id(definition) not in self._begun:
            # A plan that leads into no circle is the same whatever leads to it.
            alone = self._plan(definition, ())
            if alone.is_acyclic:
                return alone
        chain = (*chain, canonical)
        outer = self._begun
        self._begun = outer | {id(definition)}
        try:
            # What a circle looks like depends on where one enters it: the way in is in the key.
            found: CompiledPlan = self._once(
                ("plan", chain), definition, lambda: self._compile_plan(definition, chain)
            )
        finally:
            self._begun = outer
        return found

    def _compile_plan(self, definition: Resource, chain: tuple[str, ...]) -> CompiledPlan:
        self._refuse_misshapen(definition)
        canonical = canonical_of(definition)
        circles = self._circles
        plan = translated(definition, self._language) if self._language else definition
        issues: list[Issue] = []
        names = self._names(plan, issues)
        actions = tuple(
            self._action(action, plan, chain, f"action-{number}", reads_gaps=False)
            for number, action in enumerate(plan.get("action") or (), start=1)
        )
        every = list(all_actions(actions))
        return CompiledPlan(
            source=plan,
            canonical=canonical,
            key=str(plan.get("id") or plan.get("name") or "plan"),
            title=str(plan.get("title") or plan.get("name") or plan.get("id") or ""),
            names=names,
            actions=actions,
            goals=tuple(plan.get("goal") or ()),
            subject_type=subject_type(plan),
            disclaimers=tuple(_texts(plan, "disclaimer")),
            expiries=tuple(_expiries(plan)),
            reads_action=any("action" in f.variables for a in every for f in _formulas(a)),
            is_acyclic=self._circles == circles
            and all(action.plan.is_acyclic for action in every if action.plan is not None),
            reads_death=_reads_death(names, every),
            parameters=frozenset(_parameters(names, every)),
            issues=tuple(issues),
            all_goal_ids=frozenset(goal for action in every for goal in action.goal_ids),
        )

    def _names(self, owner: Resource, issues: list[Issue]) -> Names:
        """Return the names of a plan or ActivityDefinition: its variables, then its Libraries'."""
        names = Names(canonical_of(owner))
        names.add_facts(owner.get("extension"), VARIABLE, self._formula)
        for canonical in owner.get("library") or ():
            library = self._knowledge.find(canonical, owner, "Library")
            try:
                if library is None:
                    raise UnresolvedCanonical(canonical, canonical_of(owner))
                names.include(self._library(library, ()))
            except ContentError as error:
                issues.append(issue_of(error))
        _note_problems(names, issues)
        meaning = frozenset((name, id(entry)) for name, entry in names.entries.items())
        names.meaning = self._memo(("meaning", meaning), object)
        return names

    def _library(self, library: Resource, chain: tuple[str, ...]) -> Names:
        """Return the names of a Library and of those it depends on."""
        canonical = canonical_of(library)
        if canonical in chain:
            raise CyclicDefinition((*chain[chain.index(canonical) :], canonical))
        chain = (*chain, canonical)
        found: Names = self._once(
            ("library", chain), library, lambda: self._compile_library(library, chain)
        )
        return found

    def _compile_library(self, library: Resource, chain: tuple[str, ...]) -> Names:
        self._refuse_misshapen(library)
        names = library_names(library, self._formula)
        for artifact in library.get("relatedArtifact") or ():
            if artifact.get("type") == "depends-on" and "resource" in artifact:
                other = self._knowledge.find(artifact["resource"], library, "Library")
                if other is not None:
                    names.include(self._library(other, chain))
        return names

    def _refuse_misshapen(self, definition: Resource) -> None:
        """Raise InvalidContent when a definition does not have the shape of FHIR; looked at once.

        A plan is compiled for each way that leads to it, and its shape is the same each time.
        """
        key = ("shape", id(definition))
        problems = self._memo(key, lambda: (tuple(shape_problems(definition)), definition))[0]
        for element, reason in problems:
            raise InvalidContent(canonical_of(definition), element, reason)

    def _activity(self, definition: Resource, within: Resource) -> CompiledActivity:
        def make() -> CompiledActivity:
            self._refuse_misshapen(definition)
            activity = translated(definition, self._language) if self._language else definition
            issues: list[Issue] = []
            names = self._names(activity, issues) if "library" in activity else None
            if definition in within.get("contained", ()):
                # What is contained beside the definition is in reach of its references.
                activity = {**activity, "contained": within["contained"]}
            made = compile_activity(
                activity,
                self._formula,
                (names,) if names is not None else (),
                self._settings.request_status,
            )
            made.issues = (*issues, *made.issues)
            return made

        found: CompiledActivity = self._once("activity", definition, make)
        return found

    def _action(
        self,
        action: Resource,
        plan: Resource,
        chain: tuple[str, ...],
        key: str,
        *,
        reads_gaps: bool,
    ) -> CompiledAction:
        """Compile one action with all below it."""
        issues: list[Issue] = []
        key = str(action.get("id") or key)
        conditions = tuple(self._conditions(action))
        reads_gaps = reads_gaps or any("gaps" in c.variables for c in conditions)
        target = self._target(action, plan, chain, issues)
        activity = target if isinstance(target, CompiledActivity) else None
        nested = target if isinstance(target, CompiledPlan) else None
        children = tuple(
            self._action(child, plan, chain, f"{key}-{number}", reads_gaps=reads_gaps)
            for number, child in enumerate(action.get("action") or (), start=1)
        )
        is_any = _applicability_behavior(action) == "any"
        resource_type = activity.resource_type if activity is not None and activity.kind else ""
        values = compile_dynamic_values(action, resource_type, self._formula, issues)
        return CompiledAction(
            source=action,
            key=key,
            title=_title(action, target),
            template=self._template(action, activity),
            subject_type=subject_type(action),
            conditions=conditions,
            read_names=tuple(dict.fromkeys(name for c in conditions for name in c.variables)),
            any_condition=is_any,
            children=children,
            first_child_only=is_any and bool(children),
            offers_options=action.get("selectionBehavior") in _OPTIONS,
            activity=activity,
            plan=nested,
            reference=target if isinstance(target, dict) else None,
            definition=_definition_name(action, target),
            dynamic_values=tuple(v for v in values if not v.path.of_action),
            action_values=tuple(v for v in values if v.path.of_action),
            related=tuple(action.get("relatedAction") or ()),
            participants=tuple(action.get("participant") or ()),
            goal_ids=tuple(action.get("goalId") or ()),
            names=self._action_names(action),
            statements=tuple(_statements(action)),
            direction=_direction(action, activity),
            conflicts=tuple(_texts(action, "conflict-note")),
            reads_gaps=reads_gaps,
            issues=tuple(issues),
        )

    def _conditions(self, action: Resource) -> Iterator[Formula]:
        """Yield the applicability conditions; start and stop are carried, never evaluated."""
        for condition in action.get("condition") or ():
            if condition.get("kind") == "applicability":
                yield self._formula(condition.get("expression") or {})

    def _action_names(self, action: Resource) -> Names | None:
        """Return what an action adds to the names: its variables and inputs."""
        names = Names(str(action.get("id", "action")))
        names.add_facts(action.get("extension"), VARIABLE, self._formula)
        names.add_collections(action.get("input") or ())
        return names if names.entries else None

    def _target(
        self, action: Resource, plan: Resource, chain: tuple[str, ...], issues: list[Issue]
    ) -> CompiledActivity | CompiledPlan | Resource | None:
        """Return what the definition of an action leads to; what goes wrong is an issue."""
        if "definitionUri" in action:
            return {"identifier": {"system": "urn:ietf:rfc:3986", "value": action["definitionUri"]}}
        canonical = action.get("definitionCanonical")
        if canonical is None:
            return None
        try:
            found = self._knowledge.resolve(canonical, plan)
            return self._compiled(found, plan, chain)
        except (ContentError, UnsupportedFeature) as error:
            issues.append(issue_of(error))
            return None

    def _compiled(
        self, found: Resource, plan: Resource, chain: tuple[str, ...]
    ) -> CompiledActivity | CompiledPlan | Resource:
        """Compile what a canonical led to, by its type."""
        if found["resourceType"] == "ActivityDefinition":
            return self._activity(found, plan)
        if found["resourceType"] == "PlanDefinition":
            return self._plan(found, chain)
        if found["resourceType"] == "Questionnaire":
            reference = {"reference": f"Questionnaire/{found['id']}"} if "id" in found else {}
            return {**reference, "type": "Questionnaire"}
        raise UnsupportedFeature(
            "", f"A definition of type `{found['resourceType']}`", canonical_of(found)
        )

    def _template(self, action: Resource, activity: CompiledActivity | None) -> Resource:
        """Return the RequestGroup action as far as it is the same for everybody."""
        made: Resource = {"id": action["id"]} if "id" in action else {}
        for name in _COPIED:
            for key in (name, f"_{name}"):
                if key in action:
                    made[key] = action[key]
        kept = [
            {**e, "url": _CARRIED_AS.get(e["url"], e["url"])}
            for e in made.get("extension") or ()
            if e.get("url") not in _NOT_COPIED
        ]
        if kept:
            made["extension"] = kept
        else:
            made.pop("extension", None)
        if "modifierExtension" in action:
            made["modifierExtension"] = action["modifierExtension"]
        cited = activity.definition.get("relatedArtifact") if activity is not None else None
        if cited:
            # R4 requests have no place for what backs their definition; the action has.
            own = made.get("documentation") or ()
            made["documentation"] = [*own, *(item for item in cited if item not in own)]
        carried = [c for c in action.get("condition") or () if c.get("kind") != "applicability"]
        if carried and self._settings.carry_conditions:
            made["condition"] = carried
        if self._settings.create_type and "type" not in made:
            made["type"] = _ACTION_TYPE
        return made


def languages_of(knowledge: Knowledge) -> frozenset[str]:
    """Return the languages that plans and activities are translated into, in lower case."""
    types = ("PlanDefinition", "ActivityDefinition")
    return frozenset(
        language
        for resource_type in types
        for definition in knowledge.all(resource_type)
        for language in languages_in(definition)
    )


def all_actions(actions: Iterable[CompiledAction]) -> Iterator[CompiledAction]:
    """Yield actions with all below them, in the order of the plan."""
    for action in actions:
        yield action
        yield from all_actions(action.children)


def _formulas(action: CompiledAction) -> Iterator[Formula]:
    """Yield every expression of an action and of its ActivityDefinition."""
    yield from action.conditions
    values = (*action.dynamic_values, *action.action_values)
    if action.activity is not None:
        values = (*values, *action.activity.dynamic_values)
    yield from (value.formula for value in values)


def _reads_death(names: Names, actions: Iterable[CompiledAction]) -> bool:
    """Tell whether some expression of a plan reads `Patient.deceased`."""
    facts = (entry.formula for entry in names.entries.values() if isinstance(entry, Fact))
    read = (f for action in actions for f in _formulas(action))
    nested = (action.plan.reads_death for action in actions if action.plan is not None)
    return any("deceased" in formula.text for formula in (*facts, *read)) or any(nested)


def _parameters(names: Names, actions: Iterable[CompiledAction]) -> Iterator[str]:
    """Yield the parameters that Libraries declare, and names that expressions read undefined."""
    read: set[str] = set()
    for action in actions:
        own = action.names.entries if action.names is not None else {}
        read.update(n for f in _formulas(action) for n in f.variables if n not in own)
        for entry in own.values():
            read.update(entry.formula.variables if isinstance(entry, Fact) else ())
        if action.plan is not None:
            yield from action.plan.parameters
        for library in action.activity.names if action.activity is not None else ():
            yield from _parameters(library, ())
    for name, entry in names.entries.items():
        if isinstance(entry, Parameter):
            yield name
        elif isinstance(entry, Fact):
            read.update(n for n in entry.formula.variables if n not in entry.home.entries)
    yield from read - names.entries.keys() - STANDARD_NAMES


def _note_problems(names: Names, issues: list[Issue]) -> None:
    """Add an issue for each fact that does not compile."""
    for name, entry in names.entries.items():
        problem = getattr(getattr(entry, "formula", None), "problem", None)
        if problem is not None:
            text = f"The fact `{name}` cannot be used. {problem.diagnostics}"
            issues.append(Issue(problem.severity, problem.code, text))


def _applicability_behavior(action: Resource) -> str:
    for extension in action.get("extension") or ():
        if extension.get("url") == APPLICABILITY_BEHAVIOR:
            return str(extension.get("valueCode", "all"))
    return "all"


def _title(action: Resource, target: Any) -> str:
    """Return what people call an action."""
    for name in ("title", "textEquivalent", "description"):
        if action.get(name):
            return str(action[name])
    definition = target.definition if isinstance(target, CompiledActivity) else None
    if isinstance(target, CompiledPlan):
        return target.title
    if definition is not None:
        return str(definition.get("title") or definition.get("name") or definition.get("id", ""))
    for code in action.get("code") or ():
        if concept_text(code):
            return concept_text(code)
    return str(action.get("id") or "")


def _definition_name(action: Resource, target: Any) -> str | None:
    """Return the definition as `canonical|version`, as written when it leads nowhere."""
    if isinstance(target, CompiledActivity | CompiledPlan):
        return target.canonical
    return action.get("definitionCanonical") or action.get("definitionUri")


def _statements(action: Resource) -> Iterator[str]:
    """Yield the ids of the source statements behind an action."""
    for artifact in action.get("documentation") or ():
        if artifact.get("type") == "documentation" and artifact.get("label"):
            yield str(artifact["label"])


def _direction(action: Resource, activity: CompiledActivity | None) -> str:
    """Return `for` or `against`: as the action says, else as its definition forbids."""
    for extension in action.get("extension") or ():
        if extension.get("url") == DIRECTION:
            for coding in codings(extension.get("valueCodeableConcept")):
                return str(coding.get("code"))
            return str(extension.get("valueCode", "for"))
    return "against" if activity is not None and activity.is_against else "for"


def _texts(element: Resource, name: str) -> Iterator[str]:
    """Yield the texts of an extension of ours."""
    for extension in element.get("extension") or ():
        if extension.get("url") == OWN + name:
            text = extension.get("valueMarkdown") or extension.get("valueString")
            if text:
                yield str(text)


def _expiries(plan: Resource) -> Iterator[tuple[str, str]]:
    """Yield the days after which content is out of date, and whose content it is."""
    end = (plan.get("effectivePeriod") or {}).get("end")
    if end:
        yield str(end), "the effective period of the plan"
    for extension in plan.get("extension") or ():
        if extension.get("url") == OWN + "content-expiry":
            day = extension.get("valueDate") or extension.get("valueDateTime")
            if day:
                yield str(day), "the review date of its source"
