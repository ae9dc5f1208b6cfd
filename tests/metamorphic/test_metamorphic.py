"""A record that says the same gives the same decisions and the same facts; README.md tells more."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .answers import answer, answer_to, differences
from .patients import Patient, all_patients
from .transformations import NOT_NEUTRAL, TRANSFORMATIONS, Transformation, chance, transformed

PATIENTS = all_patients()
AT_A_TIME = 16
"""For how many patients each transformation is tried in the usual run."""
SHOWN = 15
"""How many changes of one answer a failure shows."""

EACH = pytest.mark.parametrize("change", [pytest.param(t, id=t.name) for t in TRANSFORMATIONS])
SEVERAL = st.lists(st.sampled_from(TRANSFORMATIONS), min_size=1, max_size=4, unique=True)
SEEDS = st.integers(0, 2**32 - 1)
ANYBODY = st.sampled_from(PATIENTS)
QUIET = settings(
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def changes(patient: Patient, chosen: Sequence[Transformation], seed: int) -> list[str]:
    """Return what transformations change in the answer for a patient, a line each."""
    return differences(answer_to(patient), answer(patient, transformed(patient, chosen, seed)))


def told(patient: Patient, chosen: Sequence[Transformation], seed: int, lines: list[str]) -> str:
    """Return a failure as a reader needs it: who, what was changed, what came of it."""
    names = ", then ".join(t.name for t in sorted(chosen, key=TRANSFORMATIONS.index))
    shown = [f"    {line}" for line in lines[:SHOWN]]
    more = [f"    and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return "\n".join([f"\n{patient.name}", f"  {names} (seed {seed})", *shown, *more])


def touched(change: Transformation, patients: Iterable[Patient]) -> Iterator[Patient]:
    """Yield the patients whose record a transformation applies to and alters."""
    for patient in patients:
        if change.is_neutral_for(patient) and transformed(patient, [change], 0) != patient.bundle:
            yield patient


def failures(change: Transformation, patients: Iterable[Patient]) -> list[str]:
    """Return a text for each patient whose answer a transformation changes."""
    found = [(patient, changes(patient, [change], 0)) for patient in patients]
    return [told(patient, [change], 0, lines) for patient, lines in found if lines]


def refuse(wrong: list[str], where: str) -> None:
    """Fail with the texts, when there are any, and nothing around them."""
    if wrong:
        raise AssertionError("\n".join([f"other decisions for {where}:", *wrong]))


@EACH
def test_one_transformation(change: Transformation) -> None:
    order = chance(change.name).sample(PATIENTS, len(PATIENTS))
    patients = list(islice(touched(change, order), AT_A_TIME))
    assert patients, "this transformation changes nobody's record"
    wrong = failures(change, patients)
    refuse(wrong[:5], f"{len(wrong)} of {len(patients)} patients")


@pytest.mark.parametrize(("change", "name"), NOT_NEUTRAL)
def test_what_is_left_out_would_change_the_decisions(change: str, name: str) -> None:
    chosen = next(t for t in TRANSFORMATIONS if t.name == change)
    patient = next(p for p in PATIENTS if p.name == name)
    assert chosen.applies_to(patient)
    assert changes(patient, [chosen], 0) != []


@pytest.mark.slow
@EACH
def test_one_transformation_for_everybody(change: Transformation) -> None:
    patients = list(touched(change, PATIENTS))
    wrong = failures(change, patients)
    refuse(wrong, f"{len(wrong)} of {len(patients)} patients")


def compose(patient: Patient, chosen: list[Transformation], seed: int) -> None:
    """Apply those of the chosen transformations that apply, and compare the answers."""
    fitting = [change for change in chosen if change.is_neutral_for(patient)]
    lines = changes(patient, fitting, seed) if fitting else []
    refuse([told(patient, fitting, seed, lines)] if lines else [], "one patient")


@settings(QUIET, max_examples=300)
@given(patient=ANYBODY, chosen=SEVERAL, seed=SEEDS)
def test_several_transformations(patient: Patient, chosen: list[Transformation], seed: int) -> None:
    compose(patient, chosen, seed)


@pytest.mark.slow
@settings(QUIET, max_examples=10_000)
@given(patient=ANYBODY, chosen=SEVERAL, seed=SEEDS)
def test_several_transformations_many_times(
    patient: Patient, chosen: list[Transformation], seed: int
) -> None:
    compose(patient, chosen, seed)
