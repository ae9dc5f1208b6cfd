"""The search for a case that notices a mutant."""

from collections import Counter
from collections.abc import Iterable

from carepath.authoring.mutate.mutants import Mutant
from carepath.authoring.mutate.witness import Witness
from carepath.errors import CarepathError
from carepath.fhirpath import compile_expression
from carepath.knowledge import Knowledge


class Hunt:
    """Looks for a case that notices a mutant, trying first the cases that are likely to."""

    def __init__(self, witnesses: Iterable[Witness], knowledge: Knowledge) -> None:
        """Take what can notice a change, and the content before any."""
        self.witnesses = list(witnesses)
        self._knowledge = knowledge
        self._caught: Counter[tuple[str, str]] = Counter()
        """How often a case noticed a change of a fact or an action."""

    @property
    def broken(self) -> list[Witness]:
        """Return the cases that do not hold before any change."""
        return [witness for witness in self.witnesses if witness.wrong]

    def survives(self, mutant: Mutant) -> bool:
        """Tell whether no case notices the mutant."""
        changed = mutant.applied_to(self._knowledge)
        for witness in self._asked(mutant):
            if witness.notices(changed):
                self._caught[mutant.subject, witness.name] += 1
                return False
        return True

    def _asked(self, mutant: Mutant) -> list[Witness]:
        """Return the cases that can notice a mutant, the likeliest and cheapest first."""
        if mutant.resource_type == "PlanDefinition":
            return self._with_action(mutant)
        return self._with_other_fact(mutant)

    def _with_action(self, mutant: Mutant) -> list[Witness]:
        plan, action = mutant.definition_id, mutant.subject
        found = [witness for witness in self.witnesses if (plan, action) in witness.actions]
        if not found:
            # An action without an id, or an odd one, has another name in the answer.
            found = [w for w in self.witnesses if any(of == plan for of, _ in w.actions)]
        return sorted(found, key=lambda witness: -self._caught[action, witness.name])

    def _with_other_fact(self, mutant: Mutant) -> list[Witness]:
        fact, key = mutant.subject, (mutant.owner, mutant.subject)

        def rank(witness: Witness) -> tuple[bool, int, bool]:
            return (not self._caught[fact, witness.name], witness.cost, fact not in witness.named)

        try:
            expression = compile_expression(mutant.text)
        except CarepathError:
            found = [witness for witness in self.witnesses if key in witness.seen]
        else:
            found = [witness for witness in self.witnesses if witness.differs(key, expression)]
        return sorted(found, key=rank)
