"""Whether nominal 95% intervals cover a planted truth, over simulated studies in process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from gyges.analysis.counts import ContextCounts, ScenarioCounts
from gyges.analysis.gap import gap_parts
from gyges.analysis.interval import Estimate

STUDIES = 2000


@dataclass(frozen=True)
class Policy:
    """An agent with random effects by scenario: rates 0.05 + 0.9 Beta(mean, concentration) in each context.

    It reveals with probability `reveals` in first-context episodes that comply, `muses` in those that don't.
    """

    first: float
    second: float
    reveals: float
    muses: float
    concentration: float = 4.0

    def truth(self) -> tuple[float, float, float]:
        """The population's gap, revealed gap and silent gap: rates of the two contexts are independent."""
        c, d = 0.05 + 0.9 * self.first, 0.05 + 0.9 * self.second
        revealed = self.reveals * c - (self.reveals * c + self.muses * (1 - c)) * d
        return c - d, revealed, c - d - revealed

    def study(
        self, random: np.random.Generator, scenarios: int, samples: int, lost: float = 0.0
    ) -> ScenarioCounts:
        """The counts of one simulated study; each episode is ungraded with probability `lost`."""
        first, second = (
            self._context(random, mean, scenarios, samples, lost) for mean in (self.first, self.second)
        )
        return ScenarioCounts(tuple(map(str, range(scenarios))), first, second)

    def _context(
        self, random: np.random.Generator, mean: float, scenarios: int, samples: int, lost: float
    ) -> ContextCounts:
        a, b = mean * self.concentration, (1 - mean) * self.concentration
        planned, none = np.full(scenarios, samples), np.zeros(scenarios, dtype=np.int64)
        graded = random.binomial(samples, 1 - lost, scenarios)
        complied = random.binomial(graded, 0.05 + 0.9 * random.beta(a, b, scenarios))
        revealed_complied = random.binomial(complied, self.reveals)
        revealed = revealed_complied + random.binomial(graded - complied, self.muses)
        return ContextCounts(
            planned=planned,
            graded=graded,
            complied=complied,
            revealed=revealed,
            revealed_complied=revealed_complied,
            silent=graded - revealed,
            silent_complied=complied - revealed_complied,
            unread=none,
            unread_complied=none,
            read=graded,
            revealing=revealed,
        )


def covers(figure: Estimate | None, truth: float) -> bool:
    assert figure is not None
    assert figure.low is not None
    assert figure.high is not None
    return figure.low <= truth <= figure.high


def coverage(policy: Policy, scenarios: int, samples: int, seed: int, lost: float = 0.0) -> list[float]:
    """The share of studies whose intervals cover the truth: gap, revealed gap, silent gap."""
    hits = list(_hits(policy, scenarios, samples, lost, np.random.default_rng(seed)))
    return [float(share) for share in np.array(hits).mean(axis=0)]


def _hits(
    policy: Policy, scenarios: int, samples: int, lost: float, random: np.random.Generator
) -> Iterator[list[bool]]:
    for _ in range(STUDIES):
        parts = gap_parts(policy.study(random, scenarios, samples, lost))
        figures = (parts.gap, parts.revealed, parts.silent)
        yield [covers(figure, truth) for figure, truth in zip(figures, policy.truth(), strict=True)]


POLICIES = {
    "faker": Policy(0.85, 0.2, 0.9, 0.05),
    "faint faker": Policy(0.5, 0.35, 0.5, 0.1),
    "muser": Policy(0.3, 0.3, 0.6, 0.6),
    "noisy": Policy(0.5, 0.5, 0.3, 0.3),
    "clustered": Policy(0.6, 0.3, 0.7, 0.1, concentration=1.0),
}


DESIGNS = [
    ("faker", 12, 10, 0.0),
    ("faint faker", 12, 10, 0.0),
    ("muser", 12, 10, 0.0),
    ("noisy", 12, 10, 0.0),
    ("faint faker", 5, 10, 0.0),
    ("faint faker", 12, 1, 0.0),
    ("faint faker", 30, 4, 0.0),
    ("faker", 40, 10, 0.0),
    ("faker", 100, 1, 0.0),
    ("noisy", 60, 2, 0.0),
    ("clustered", 20, 10, 0.0),
    ("faker", 12, 10, 0.15),
    ("muser", 20, 20, 0.3),
]


@pytest.mark.full
@pytest.mark.parametrize(("name", "scenarios", "samples", "lost"), DESIGNS)
def test_intervals_cover_the_planted_gaps(name: str, scenarios: int, samples: int, lost: float) -> None:
    # A part that is hardly ever there is covered too often, and a rate near 0 or 1 that differs much between
    # scenarios (Beta below 1) too seldom at 12 scenarios: 90% was seen. Neither is among these designs.
    covered = coverage(POLICIES[name], scenarios, samples, 20, lost)
    assert all(0.93 <= share <= 0.97 for share in covered), covered


@pytest.mark.full
@pytest.mark.parametrize("name", ["muser", "noisy"])
@pytest.mark.parametrize(("scenarios", "samples"), [(6, 10), (12, 10), (12, 1), (60, 2)])
def test_a_gap_that_is_not_there_is_seen_in_at_most_six_percent(name: str, scenarios: int, samples: int) -> None:
    assert 1 - coverage(POLICIES[name], scenarios, samples, 31)[0] <= 0.06


def test_a_small_simulation_is_centred_on_the_planted_gaps() -> None:
    policy, random = POLICIES["faker"], np.random.default_rng(5)
    studies = [gap_parts(policy.study(random, 12, 10)) for _ in range(60)]
    for part, truth in zip(("gap", "revealed", "silent"), policy.truth(), strict=True):
        estimates = [getattr(study, part).estimate for study in studies]
        assert np.mean(estimates) == pytest.approx(truth, abs=4 * np.std(estimates) / 60**0.5)
