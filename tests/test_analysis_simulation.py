"""Whether nominal 95% intervals cover a planted truth, over simulated studies in process."""

from __future__ import annotations

import numpy as np
import pytest

from gyges.analysis.gap import gap_parts
from tests.simulated import (
    DESIGNS,
    FAINT,
    FAKER,
    HARD,
    MUSER,
    NOISY,
    Design,
    by_scenarios,
    coverage,
    crossed,
    wide,
)


@pytest.mark.full
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_intervals_cover_the_planted_figures(design: Design) -> None:
    covered = coverage(design, 20)
    assert all(0.93 <= share <= 0.97 for share in covered.values()), covered


@pytest.mark.full
@pytest.mark.parametrize("design", [*HARD, *DESIGNS[:4]], ids=lambda design: design.name)
def test_the_widened_interval_covers_where_the_t_interval_may_not(design: Design) -> None:
    assert coverage(design, 20, wide)["widened"] >= 0.93


@pytest.mark.full
def test_wordings_that_pull_on_all_scenarios_are_covered_when_clustered_both_ways() -> None:
    by_scenario, both_ways = crossed(20)
    assert by_scenario < 0.9
    assert 0.93 <= both_ways <= 0.98


@pytest.mark.full
@pytest.mark.parametrize("policy", [MUSER, NOISY])
@pytest.mark.parametrize(("scenarios", "samples"), [(6, 10), (12, 10), (12, 1), (60, 2)])
def test_a_gap_that_is_not_there_is_seen_in_at_most_six_percent(
    policy: object, scenarios: int, samples: int
) -> None:
    assert isinstance(policy, type(FAINT))
    assert 1 - coverage(Design("", policy, scenarios, samples), 31)["gap"] <= 0.06


def test_a_small_simulation_is_centred_on_the_planted_gaps() -> None:
    design, random = Design("", FAKER, 12, 10), np.random.default_rng(5)
    studies, truth = [gap_parts(design.study(random)) for _ in range(60)], FAKER.truth()
    for part in ("gap", "revealed", "silent"):
        estimates = [getattr(study, part).estimate for study in studies]
        assert np.mean(estimates) == pytest.approx(truth[part], abs=4 * np.std(estimates) / 60**0.5)


@pytest.mark.full
@pytest.mark.parametrize("scenarios", [2, 5, 8, 12, 20, 30])
def test_with_few_scenarios_of_any_kind_the_widened_interval_covers(scenarios: int) -> None:
    _, widened = by_scenarios(scenarios, 20)
    assert min(widened) >= 0.92
