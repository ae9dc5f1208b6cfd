"""What holds for every patient whatever the facts are: small functions, a sentence for each breach.

Each looks at the levels that the patient was made of and at the decisions that came out, not at
the facts that the content worked out: a fact read wrongly must not excuse a wrong plan.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from carepath.apply import ApplyRequest, Decision, apply_plan
from carepath.authoring.cases import undetermined
from carepath.record import Record

from .patients import KNOWLEDGE, NOW, Synthetic

PATHWAY = "mst-pathway"
AUXILIARY = "https://carepath.example/fhir/StructureDefinition/auxiliary-fact"

OPERATIONS = frozenset(
    {
        *("order-wide-excision", "order-limb-sparing-surgery", "order-rps-resection"),
        *("order-gist-resection", "order-tah", "order-bso", "order-amputation"),
        "order-metastasectomy",
    }
)
CURATIVE = OPERATIONS | {
    *("order-adjuvant-chemotherapy", "order-neoadjuvant-chemotherapy", "medreq-adjuvant-tki"),
}
BIOPSIES = frozenset(
    {
        *("order-core-needle-biopsy", "order-eus-biopsy", "order-ct-guided-biopsy"),
        "order-open-biopsy",
    }
)
OF_A_KIND = {
    "radiotherapy": (
        *("order-neoadjuvant-radiotherapy", "order-adjuvant-radiotherapy"),
        *("order-definitive-radiotherapy", "order-proton-beam"),
    ),
    "chemotherapy": (
        *("order-adjuvant-chemotherapy", "order-neoadjuvant-chemotherapy"),
        "order-palliative-chemotherapy",
    ),
    "inhibitor": ("medreq-adjuvant-tki", "medreq-imatinib"),
}
"""Palliative radiotherapy is of a metastasis, another place: it may follow radiotherapy given."""
AGAINST = {
    "chemotherapy-before-surgery-not-standard": ("order-neoadjuvant-chemotherapy",),
    "no-drug-yet": ("medreq-imatinib", "medreq-sunitinib", "medreq-regorafenib"),
}
"""Advice against something that has no definition of its own, and what must not be beside it."""
CHOICES = frozenset(
    {
        *(("mst-gist", "small"), ("mst-localised", "surgery"), ("mst-localised", "limb")),
        *(("mst-os-biopsy", "biopsy"), ("mst-recurrence", "options")),
    }
)
"""Groups of which one form must be taken: by needle or open, watched or removed, limb or trunk."""
ON_THE_LIMB = {"mst-localised", "mst-recurrence"}
OF_THE_TEAM = {"order-amputation", "order-ilp"}
"""What the team may have decided of a limb instead; another plan proposes it."""
OFFERING = frozenset({"mst-recurrence", "mst-rms-ewing"})
"""Plans of options: what they propose may be considered, and the team chooses."""
AGREEING = frozenset(
    {
        *("treat-as-proposed", "amputate", "before the operation"),
        *("resect-metastases", "re-excise", "limb-perfusion"),
    }
)


@dataclass(frozen=True)
class Answer:
    """A synthetic patient, and what was decided."""

    patient: Synthetic
    decisions: tuple[Decision, ...]
    waiting: dict[str, list[str]]

    @property
    def made(self) -> list[tuple[str, Decision]]:
        """Return the id of each definition of which a request was made, with the decision."""
        return [(tail(d.definition), d) for d in self.decisions if d.request and d.definition]

    @property
    def proposed(self) -> list[str]:
        """Return the ids of what is proposed; requests that say what not to do are none."""
        return [name for name, decision in self.made if decision.direction != "against"]


def answer_to(patient: Synthetic) -> Answer:
    """Apply the whole pathway to a synthetic patient."""
    request = ApplyRequest(
        definition=KNOWLEDGE.plan(PATHWAY),
        record=Record.of(patient.given),
        now=NOW,
        parameters=patient.parameters,
    )
    applied = apply_plan(request, KNOWLEDGE)
    return Answer(patient, applied.decisions, undetermined(applied))


def tail(canonical: str | None) -> str:
    """Return the id at the end of a canonical."""
    return (canonical or "").partition("|")[0].rpartition("/")[2]


def nothing_curative_without_the_team(answer: Answer) -> Iterator[str]:
    """Without a decision of the team only what the team is asked to choose from is shown.

    That is the removal of a small GIST beside its watching, and what may be considered at a
    recurrence or before surgery, beside the discussion that chooses.
    """
    if answer.patient.levels["mdtDecision"] in AGREEING:
        return
    is_asked = "order-mdt-discussion" in answer.proposed
    for name, decision in answer.made:
        if name not in CURATIVE or decision.direction == "against":
            continue
        is_small_gist = (decision.plan, decision.id) == ("mst-gist", "remove")
        is_offered = decision.plan in OFFERING and is_asked
        if not (is_small_gist or is_offered):
            yield f"`{decision.plan}#{decision.id}` without a decision of the team"


def no_biopsy_before_imaging(answer: Answer) -> Iterator[str]:
    """A biopsy waits for images of the tumour."""
    if answer.patient.levels["imaging"] == "none":
        for name in BIOPSIES.intersection(answer.proposed):
            yield f"`{name}` without images"


def nothing_given_is_proposed_as_new(answer: Answer) -> Iterator[str]:
    """What was given, or is ordered, is not proposed again."""
    for factor, names in OF_A_KIND.items():
        level = answer.patient.levels[factor]
        if level != "none":
            for name in sorted(set(names) & set(answer.proposed)):
                yield f"`{name}` although {factor} is {level}"


def no_amputation_without_its_decision(answer: Answer) -> Iterator[str]:
    """Only a team that decided to amputate has an amputation proposed."""
    if "order-amputation" in answer.proposed and answer.patient.levels["mdtDecision"] != "amputate":
        yield "`order-amputation` without its decision"


def nothing_for_the_dead(answer: Answer) -> Iterator[str]:
    """A patient who has died gets no proposal."""
    if answer.patient.levels["dead"] == "yes" and answer.made:
        yield f"{len(answer.made)} requests for a patient who has died"


def one_team_discussion(answer: Answer) -> Iterator[str]:
    """All that the team has to answer goes into one discussion."""
    count = answer.proposed.count("order-mdt-discussion")
    if count > 1:
        yield f"{count} team discussions"


def no_choice_is_hidden(answer: Answer) -> Iterator[str]:
    """Where one of several forms must be taken, one is met or waits, or the team is asked.

    Where a source is switched off the forms that only it knows are gone, and where an operation is
    ordered the choice was made; what the team decided of a limb instead is proposed elsewhere.
    """
    levels = answer.patient.levels
    is_chosen = levels["sources"] != "on" or levels["excision"] == "ordered"
    if is_chosen or "order-mdt-discussion" in answer.proposed:
        return
    outcomes: dict[str, set[str]] = defaultdict(set)
    for decision in answer.decisions:
        outcomes[decision.path.rpartition("/")[0]].add(decision.outcome)
    for decision in answer.decisions:
        is_choice = (decision.plan, decision.id) in CHOICES and decision.outcome == "met"
        is_elsewhere = decision.plan in ON_THE_LIMB and OF_THE_TEAM & set(answer.proposed)
        if is_choice and not is_elsewhere and outcomes[decision.path] == {"not-met"}:
            yield f"no form of `{decision.plan}#{decision.id}` is left"


def no_proposal_beside_advice_against_it(answer: Answer) -> Iterator[str]:
    """Nothing is proposed that another action advises against."""
    proposed = set(answer.proposed)
    for name, decision in answer.made:
        if decision.direction == "against" and not name.startswith("comm-") and name in proposed:
            yield f"`{name}` is proposed and advised against"
    for decision in answer.decisions:
        if decision.outcome == "met" and decision.direction == "against":
            for name in proposed.intersection(AGAINST.get(decision.id, ())):
                yield f"`{name}` is proposed beside `{decision.plan}#{decision.id}`"


def open_actions_ask_for_facts(answer: Answer) -> Iterator[str]:
    """What is undetermined waits for facts that somebody can record."""
    for path, missing in answer.waiting.items():
        if not missing:
            yield f"`{path}` is undetermined and asks for nothing"
        for name in missing:
            if name not in ASKABLE:
                yield f"`{path}` asks for `{name}`, which nobody can record"


INVARIANTS: tuple[Callable[[Answer], Iterator[str]], ...] = (
    nothing_curative_without_the_team,
    no_biopsy_before_imaging,
    nothing_given_is_proposed_as_new,
    no_amputation_without_its_decision,
    nothing_for_the_dead,
    one_team_discussion,
    no_choice_is_hidden,
    no_proposal_beside_advice_against_it,
    open_actions_ask_for_facts,
)


def breaches(answer: Answer) -> Counter[str]:
    """Return what does not hold for a patient, a sentence each."""
    return Counter(sentence for invariant in INVARIANTS for sentence in invariant(answer))


def _askable() -> Iterator[str]:
    for library in KNOWLEDGE.all("Library"):
        for extension in library.get("extension") or ():
            fact = extension.get("valueExpression") or {}
            urls = {part.get("url") for part in fact.get("extension") or ()}
            if "name" in fact and AUXILIARY not in urls:
                yield fact["name"]


ASKABLE = frozenset(_askable())
