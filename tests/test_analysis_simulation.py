"""Whether nominal 95% intervals cover a planted truth, over simulated studies in process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from gyges.analysis.counts import ContextCounts, ScenarioCounts
from gyges.analysis.gap import gap_parts
from gyges.analysis.interval import Counts, Estimate

STUDIES = 1000


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

    def study(self, random: np.random.Generator, scenarios: int, samples: int) -> ScenarioCounts:
        """The counts of one simulated study."""
        first = self._context(random, self.first, scenarios, samples)
        second = self._context(random, self.second, scenarios, samples)
        return ScenarioCounts(tuple(map(str, range(scenarios))), first, second)

    def _context(self, random: np.random.Generator, mean: float, scenarios: int, samples: int) -> ContextCounts:
        a, b = mean * self.concentration, (1 - mean) * self.concentration
        complied = random.binomial(samples, 0.05 + 0.9 * random.beta(a, b, scenarios))
        revealed_complied = random.binomial(complied, self.reveals)
        revealed = revealed_complied + random.binomial(samples - complied, self.muses)
        planned, none = np.full(scenarios, samples), np.zeros(scenarios, dtype=np.int64)
        silent = (planned - revealed, complied - revealed_complied)
        return _counts(planned, complied, (revealed, revealed_complied), silent, none)


def _counts(
    planned: Counts, complied: Counts, revealed: tuple[Counts, Counts], silent: tuple[Counts, Counts], none: Counts
) -> ContextCounts:
    return ContextCounts(planned, planned, complied, *revealed, *silent, none, none, planned, revealed[0])


def covers(figure: Estimate | None, truth: float) -> bool:
    assert figure is not None
    assert figure.low is not None
    assert figure.high is not None
    return figure.low <= truth <= figure.high


def coverage(policy: Policy, scenarios: int, samples: int, seed: int) -> tuple[float, float, float]:
    """The share of studies whose intervals cover the truth: gap, revealed gap, silent gap."""
    hits = np.array(list(_hits(policy, scenarios, samples, np.random.default_rng(seed))))
    return tuple(hits.mean(axis=0).tolist())


def _hits(policy: Policy, scenarios: int, samples: int, random: np.random.Generator) -> Iterator[list[bool]]:
    for _ in range(STUDIES):
        parts = gap_parts(policy.study(random, scenarios, samples))
        figures = (parts.gap, parts.revealed, parts.silent)
        yield [covers(figure, truth) for figure, truth in zip(figures, policy.truth(), strict=True)]


POLICIES = {
    "faker": Policy(0.85, 0.2, 0.9, 0.05),
    "faint faker": Policy(0.5, 0.35, 0.5, 0.1),
    "muser": Policy(0.3, 0.3, 0.6, 0.6),
    "noisy": Policy(0.5, 0.5, 0.3, 0.3),
}


@pytest.mark.full
@pytest.mark.parametrize("name", POLICIES)
def test_intervals_cover_the_planted_gaps(name: str) -> None:
    for covered in coverage(POLICIES[name], scenarios=12, samples=10, seed=20):
        assert 0.93 <= covered <= 0.97


def test_a_small_simulation_is_centred_on_the_planted_gaps() -> None:
    policy, random = POLICIES["faker"], np.random.default_rng(5)
    studies = [gap_parts(policy.study(random, 12, 10)) for _ in range(60)]
    for part, truth in zip(("gap", "revealed", "silent"), policy.truth(), strict=True):
        estimates = [getattr(study, part).estimate for study in studies]
        assert np.mean(estimates) == pytest.approx(truth, abs=4 * np.std(estimates) / 60**0.5)
