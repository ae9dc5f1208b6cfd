"""What a large record costs: a part of `make bench-apply`.

The pathways are applied to two records, alone and beside 1,000 resources that no fact is about.
From the decoded Bundle to the CarePlan; the median of rounds that alternate, with the collector
set as the service sets it.
"""

import gc
import time
from collections.abc import Callable
from datetime import datetime
from statistics import median
from typing import NamedTuple

from growth_data import Resource, beside, conditions, examples, observations, patient_of

from carepath.apply import ApplyRequest, apply_plan, warm
from carepath.formats.json import encode
from carepath.knowledge import Knowledge
from carepath.record import Record

NOW = datetime.fromisoformat("2026-11-25T09:00:00+00:00")
PLANS = ("mst-pathway", "mst-gist")
COUNT = 1000
MOST_TIME, MOST_BYTES = 1.3, 2000
"""How many times as long the main pathway may take beside the Observations, and how many bytes
the answer may grow beside the Conditions."""


class Growth(NamedTuple):
    """One record and plan, alone and beside the Observations and the Conditions."""

    name: str
    milliseconds: tuple[float, float, float]
    size: tuple[int, int, int]

    @property
    def by_observations(self) -> float:
        """How many times as long it takes beside the Observations."""
        return self.milliseconds[1] / self.milliseconds[0]

    @property
    def by_conditions(self) -> float:
        """How many times as long it takes beside the Conditions."""
        return self.milliseconds[2] / self.milliseconds[0]


def growth(rounds: int = 60) -> list[Growth]:
    """Measure every record with every plan."""
    knowledge = Knowledge.shipped()
    warm(knowledge)
    bundles = {name: _grown(bundle) for name, bundle in examples().items()}
    gc.collect()
    gc.freeze()
    try:
        return [
            _measured(f"{plan}, {name}", _applied(plan, knowledge), three, rounds)
            for plan in PLANS
            for name, three in bundles.items()
        ]
    finally:
        gc.unfreeze()


def _grown(bundle: Resource) -> tuple[Resource, Resource, Resource]:
    patient = patient_of(bundle)
    return (
        bundle,
        beside(bundle, observations(COUNT, patient)),
        beside(bundle, conditions(COUNT, patient)),
    )


def _applied(plan: str, knowledge: Knowledge) -> Callable[[Resource], Resource]:
    definition = knowledge.plan(plan)

    def apply(bundle: Resource) -> Resource:
        request = ApplyRequest(definition, Record.of(bundle), NOW)
        return apply_plan(request, knowledge).care_plan()

    return apply


def _measured(
    name: str,
    apply: Callable[[Resource], Resource],
    bundles: tuple[Resource, Resource, Resource],
    rounds: int,
) -> Growth:
    size = tuple(len(encode(apply(bundle))) for bundle in bundles)
    times: list[list[float]] = [[], [], []]
    for _ in range(rounds):
        for bundle, found in zip(bundles, times, strict=True):
            start = time.process_time()
            apply(bundle)
            found.append(1000 * (time.process_time() - start))
    milliseconds = tuple(map(median, times))
    return Growth(name, milliseconds, size)  # type: ignore[arg-type]


def report() -> bool:
    """Print a line for each record and plan; return whether the bounds are held."""
    held = True
    for found in growth():
        base, seen, known = found.milliseconds
        beside_them = f"{seen:.1f} ms ({found.by_observations:.2f}x)"
        beside_these = f"{known:.1f} ms ({found.by_conditions:.1f}x)"
        print(
            f"{found.name}: {base:.1f} ms; beside {COUNT:,} unrelated Observations {beside_them}, "
            f"Conditions {beside_these}"
        )
        alone, _, grown = found.size
        print(f"{'':4}answer {alone} bytes; beside the Conditions {grown} ({grown / alone:.2f}x)")
        held &= grown - alone <= MOST_BYTES
        held &= found.by_observations <= MOST_TIME or not found.name.startswith(PLANS[0])
    return held
