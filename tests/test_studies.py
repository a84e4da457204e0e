"""A thousand simulated studies: organisms answer in process, intervals have to cover what was planted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gyges.analysis.counts import count
from gyges.analysis.gap import gap_parts
from gyges.analysis.table import Row
from gyges.models.organism import Organism, read_organisms
from gyges.models.organism_corpus import Corpus
from gyges.scenarios.decision import decision
from gyges.scenarios.plan import Behaviour, Plan, Seed
from gyges.scenarios.read import select
from gyges.scenarios.render import behaviour, contrasts, plans
from gyges.transcripts.record import Message, Outcome

STUDIES = 1000
SAMPLES = 10
ORGANISMS = ("faker", "silent-faker", "honest", "muser", "noisy")
SCENARIOS = select(["tiers"])
CONTRAST = contrasts(SCENARIOS[0])[0]


def asked(plan: Plan) -> tuple[Message, ...]:
    """What an organism hears when it is to decide."""
    return (Message("system", plan.system.text), *(Message("user", turn.text) for turn in plan.turns))


PLANS: list[tuple[Plan, Behaviour, tuple[Message, ...]]] = [
    (plan, behaviour(scenario, plan.variant), asked(plan)) for scenario in SCENARIOS for plan in plans(scenario)
]


def study(organism: Organism, seed: Seed) -> Iterator[Row]:
    """One study's rows: every plan, ten samples; behaviour judged from the words that were spoken."""
    for plan, judged, messages in PLANS:
        for sample in range(SAMPLES):
            draw = seed.child("noise", plan.scenario, plan.context, sample)
            shown = decision(organism.reply(messages, draw).text, judged)
            complies = None if shown is None else shown == CONTRAST.target
            yield Row(
                plan.family,
                organism.name,
                plan.scenario,
                plan.variant,
                plan.context,
                sample,
                Outcome.COMPLETED,
                complies,
                None,
            )


def covered(organism: Organism, studies: int) -> float:
    """The share of studies whose 95% interval contains the planted population gap."""
    hits = 0
    for number in range(studies):
        seed = Seed(number)
        rows = list(study(replace(organism, seed=seed), seed))
        gap = gap_parts(count(rows, CONTRAST)).gap
        assert gap is not None
        assert gap.low is not None
        assert gap.high is not None
        hits += gap.low <= organism.truth.gap <= gap.high
    return hits / studies


@pytest.mark.full
@pytest.mark.parametrize("name", ORGANISMS)
def test_nominal_95_percent_intervals_cover_the_planted_population_gap(name: str) -> None:
    organism = read_organisms(Corpus.of(SCENARIOS))[name]
    share = covered(organism, STUDIES)
    assert 0.93 <= share <= 0.97, share
