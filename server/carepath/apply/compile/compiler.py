"""Compile a PlanDefinition once, with what it leads to, whatever leads to it.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3
"""

from carepath.apply.compile.actions import Surroundings, Target, compile_actions
from carepath.apply.compile.activity import CompiledActivity, compile_activity
from carepath.apply.compile.compilation import Compilation, longer_by
from carepath.apply.compile.compiled import CompiledPlan
from carepath.apply.compile.libraries import names_in
from carepath.apply.compile.modifiers import check_modifiers
from carepath.apply.compile.plans import compiled_plan
from carepath.apply.issues import issue_of
from carepath.apply.request import ApplySettings
from carepath.canonical import Canonical
from carepath.errors import (
    ContentError,
    ContentTooLarge,
    CyclicDefinition,
    UnsupportedFeature,
)
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource, canonical_of

MAX_ACTIONS = 20_000
"""Actions that a plan may lead to: ten plans of ten actions in a row would be 10^10."""
MAX_LEVELS = 64
"""Levels of actions that may stand inside each other, through all plans."""
MAX_PLANS = 32
"""Plans of which each leads to the next."""


class Compiler:
    """Compiles plans and what they lead to, in one language and with one set of settings."""

    def __init__(self, knowledge: Knowledge, settings: ApplySettings, language: str) -> None:
        self._made = Compilation(knowledge, settings, language)
        self._begun: tuple[Resource, ...] = ()
        """The plans whose compilation has begun, the outermost first."""
        self._circles = 0
        """How many circles were met."""

    def plan(self, definition: Resource) -> CompiledPlan:
        """Return the compiled plan; raises InvalidContent."""
        self._made.begin(definition)
        self._begun = ()
        try:
            return self._plan(definition, ())
        except RecursionError:
            raise _too_deep(definition) from None

    def activity(self, definition: Resource) -> CompiledActivity:
        """Return the compiled ActivityDefinition; raises InvalidContent."""
        self._made.begin(definition)
        return self._activity(definition, definition)

    def _plan(
        self, definition: Resource, chain: tuple[str, ...], within: Resource | None = None
    ) -> CompiledPlan:
        """Return a plan that a chain of others leads to; raises CyclicDefinition.

        `within` is the plan that contains it: what stands beside it there is in its reach.
        """
        try:
            longer = longer_by(canonical_of(definition), chain)
        except CyclicDefinition:
            self._circles += 1
            raise
        if chain and not any(plan is definition for plan in self._begun):
            # A plan that leads into no circle is the same whatever leads to it.
            alone = self._plan(definition, (), within)
            if alone.is_acyclic:
                return alone
        outer = self._begun
        if len(outer) >= MAX_PLANS:
            raise _too_large(outer[0], f"it leads through more than {MAX_PLANS} plans in a row")
        self._begun = (*outer, definition)
        try:
            # What a circle looks like depends on where one enters it: the way in is in the key.
            return self._made.once(
                CompiledPlan,
                definition,
                longer,
                lambda: self._compiled_plan(definition, longer, within),
            )
        finally:
            self._begun = outer

    def _compiled_plan(
        self, definition: Resource, chain: tuple[str, ...], container: Resource | None
    ) -> CompiledPlan:
        # What is contained has been looked at with what holds it.
        issues = list(self._made.judge(definition)) if container is None else []
        check_modifiers(definition)
        circles = self._circles
        plan = self._made.in_language(definition)
        if container is not None:
            plan = {**plan, "contained": container["contained"]}
        names = names_in(plan, self._made, issues)
        within = Surroundings(
            self._made, lambda action, found: self._target(action, plan, chain, found)
        )
        actions = compile_actions(plan.get("action"), "action", within, reads_gaps=False)
        made = compiled_plan(plan, names, actions, issues, self._made.formula)
        made.is_acyclic = made.is_acyclic and self._circles == circles
        if made.size > MAX_ACTIONS:
            raise _too_large(definition, f"it leads to more than {MAX_ACTIONS} actions")
        if made.depth > MAX_LEVELS:
            raise _too_deep(definition)
        return made

    def _activity(self, definition: Resource, within: Resource) -> CompiledActivity:
        """Return an ActivityDefinition; what is contained beside it is in reach."""
        return self._made.once(
            CompiledActivity, definition, None, lambda: self._compiled_activity(definition, within)
        )

    def _compiled_activity(self, definition: Resource, within: Resource) -> CompiledActivity:
        is_contained = definition in within.get("contained", ())
        # What is contained has been looked at with what holds it.
        issues = [] if is_contained else list(self._made.judge(definition))
        activity = self._made.in_language(definition)
        names = (names_in(activity, self._made, issues),) if "library" in activity else ()
        if is_contained:
            # What is contained beside the definition is in reach of its references.
            activity = {**activity, "contained": within["contained"]}
        status = self._made.settings.request_status
        made = compile_activity(activity, self._made.formula, names, status)
        made.issues = (*issues, *made.issues)
        return made

    def _target(
        self, action: Resource, plan: Resource, chain: tuple[str, ...], issues: list[Issue]
    ) -> Target:
        """Return what the definition of an action leads to; what goes wrong is an issue."""
        if "definitionUri" in action:
            return {"identifier": {"system": "urn:ietf:rfc:3986", "value": action["definitionUri"]}}
        canonical = action.get("definitionCanonical")
        if canonical is None:
            return None
        try:
            return self._compiled(self._resolved(canonical, plan), plan, chain)
        except ContentTooLarge:
            raise
        except (ContentError, UnsupportedFeature) as error:
            issues.append(issue_of(error))
            return None

    def _resolved(self, canonical: str, plan: Resource) -> Resource:
        """Return what a canonical means: a plan that leads here, though it was only sent, first."""
        wanted = Canonical.parse(canonical)
        for begun in self._begun:
            version = str(begun.get("version", ""))
            if begun.get("url") == wanted.url and wanted.version in ("", version):
                return begun
        for begun in reversed(self._begun):
            # The innermost is meant by `#`, and may be named by its id.
            if canonical in ("#", f"PlanDefinition/{begun.get('id')}"):
                return begun
        return self._made.knowledge.resolve(canonical, plan)

    def _compiled(self, found: Resource, plan: Resource, chain: tuple[str, ...]) -> Target:
        """Compile what a canonical led to, by its type."""
        if found["resourceType"] == "ActivityDefinition":
            return self._activity(found, plan)
        if found["resourceType"] == "PlanDefinition":
            is_contained = any(found is one for one in plan.get("contained") or ())
            return self._plan(found, chain, plan if is_contained else None)
        if found["resourceType"] == "Questionnaire":
            is_contained = any(found is one for one in plan.get("contained") or ())
            name = f"#{found['id']}" if is_contained else f"Questionnaire/{found.get('id')}"
            reference: Resource = {"reference": name} if "id" in found else {}
            if "url" in found and not is_contained:
                own = {"system": "urn:ietf:rfc:3986", "value": found["url"]}
                return {**reference, "type": "Questionnaire", "identifier": own}
            return {**reference, "type": "Questionnaire"}
        raise UnsupportedFeature(
            "", f"A definition of type `{found['resourceType']}`", canonical_of(found)
        )


def _too_large(definition: Resource, reason: str) -> ContentTooLarge:
    return ContentTooLarge(canonical_of(definition), "PlanDefinition.action", reason)


def _too_deep(definition: Resource) -> ContentTooLarge:
    return _too_large(definition, f"its actions stand more than {MAX_LEVELS} levels deep")
