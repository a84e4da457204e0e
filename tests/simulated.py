"""Simulated studies with a planted truth: designs of them, and how often 95% intervals hold that truth.

    python -m tests.simulated

prints the table of docs/statistics.md. Every study goes through the estimators that reports use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gyges.analysis.counts import ContextCounts, ScenarioCounts
from gyges.analysis.crossed import two_way
from gyges.analysis.gap import gap_parts, split_values
from gyges.analysis.interval import Estimate, Widened, widened
from gyges.analysis.judge_error import (
    Calibration,
    Corrected,
    corrected_gap,
    corrected_rate,
    corrected_split,
)
from gyges.analysis.rates import mean_rate

STUDIES = 2000
Flags = npt.NDArray[np.bool_]
Interval = Estimate | Corrected | Widened | None


@dataclass(frozen=True)
class Policy:
    """An agent with random effects by scenario: rates low + (high - low) Beta(mean, concentration) a context.

    It reveals with probability `reveals` in first-context episodes that comply, `muses` in those that don't.
    """

    first: float
    second: float
    reveals: float
    muses: float
    concentration: float = 4.0
    low: float = 0.05
    high: float = 0.95

    def rates(self) -> tuple[float, float]:
        return self.low + (self.high - self.low) * self.first, self.low + (self.high - self.low) * self.second

    def truth(self) -> dict[str, float]:
        """The population's figures: the rates of the two contexts are independent."""
        c, d = self.rates()
        reveals = self.reveals * c + self.muses * (1 - c)
        revealed = self.reveals * c - reveals * d
        return {"gap": c - d, "revealed": revealed, "silent": c - d - revealed, "reveals": reveals, "first": c}

    def draw(self, random: np.random.Generator, mean: float, scenarios: int) -> npt.NDArray[np.float64]:
        """The rate of each scenario in one context, shape (scenarios,)."""
        drawn = random.beta(mean * self.concentration, (1 - mean) * self.concentration, scenarios)
        return np.asarray(self.low + (self.high - self.low) * drawn)


@dataclass(frozen=True)
class Judge:
    """A grader that errs, and the labelled positives and negatives that it was tried on."""

    sensitivity: float
    specificity: float
    positives: int
    negatives: int

    def read(self, random: np.random.Generator, truth: Flags) -> Flags:
        right = random.random(truth.shape)
        return np.where(truth, right < self.sensitivity, right >= self.specificity)

    def calibration(self, random: np.random.Generator) -> Calibration:
        found = int(random.binomial(self.positives, self.sensitivity))
        passed = int(random.binomial(self.negatives, self.specificity))
        return Calibration(found, self.positives, passed, self.negatives)


@dataclass(frozen=True)
class Design:
    """A study: so many scenarios, each in so many wordings of so many samples a context.

    `wording` is the concentration of a wording's rate around its scenario's: the lower, the more they differ.
    `lost` are the shares of episodes ungraded in the two contexts, `unread` that of the first's reasoning.
    """

    name: str
    policy: Policy
    scenarios: int
    samples: int
    wordings: int = 1
    wording: float = 8.0
    lost: tuple[float, float] = (0.0, 0.0)
    unread: float = 0.0
    behaviour: Judge | None = None
    reasoning: Judge | None = None

    def study(self, random: np.random.Generator) -> ScenarioCounts:
        """The counts of one simulated study."""
        first, second = (
            self._context(random, mean, lost)
            for mean, lost in zip((self.policy.first, self.policy.second), self.lost, strict=True)
        )
        return ScenarioCounts(tuple(map(str, range(self.scenarios))), first, second)

    def _context(self, random: np.random.Generator, mean: float, lost: float) -> ContextCounts:
        shape = (self.scenarios, self.wordings, self.samples)
        rate = np.repeat(self.policy.draw(random, mean, self.scenarios)[:, None], self.wordings, axis=1)
        if self.wordings > 1:
            rate = random.beta(rate * self.wording, (1 - rate) * self.wording)
        complies = random.random(shape) < rate[:, :, None]
        reveals = random.random(shape) < np.where(complies, self.policy.reveals, self.policy.muses)
        complies = self.behaviour.read(random, complies) if self.behaviour else complies
        reveals = self.reasoning.read(random, reveals) if self.reasoning else reveals
        return counted(complies, reveals, random.random(shape) >= lost, random.random(shape) >= self.unread)


def counted(complies: Flags, reveals: Flags, graded: Flags, read: Flags) -> ContextCounts:
    """The counts of one context from flags of shape (scenarios, wordings, samples)."""

    def n(flags: Flags) -> npt.NDArray[np.int64]:
        return np.asarray(flags.sum(axis=(1, 2)), dtype=np.int64)

    revealed, silent, unread = graded & read & reveals, graded & read & ~reveals, graded & ~read
    return ContextCounts(
        planned=n(np.ones_like(graded)),
        graded=n(graded),
        complied=n(graded & complies),
        revealed=n(revealed),
        revealed_complied=n(revealed & complies),
        silent=n(silent),
        silent_complied=n(silent & complies),
        unread=n(unread),
        unread_complied=n(unread & complies),
        read=n(read),
        revealing=n(read & reveals),
    )


FAKER, FAINT = Policy(0.85, 0.2, 0.9, 0.05), Policy(0.5, 0.35, 0.5, 0.1)
MUSER, NOISY = Policy(0.3, 0.3, 0.6, 0.6), Policy(0.5, 0.5, 0.3, 0.3)
UNLIKE = Policy(0.6, 0.3, 0.7, 0.1, concentration=1.0)
BEHAVIOUR, REASONING = Judge(0.9, 0.92, 150, 150), Judge(0.8, 0.9, 100, 100)

DESIGNS = (
    Design("few scenarios", FAINT, 5, 10),
    Design("few scenarios, two samples", FAINT, 10, 2),
    Design("a faker, as usual", FAKER, 12, 10),
    Design("a faint faker, as usual", FAINT, 12, 10),
    Design("no gap, as usual", MUSER, 12, 10),
    Design("many scenarios, few samples", FAINT, 30, 4),
    Design("many scenarios, one sample", FAKER, 100, 1),
    Design("no gap, two samples", NOISY, 60, 2),
    Design("clustered: scenarios very unlike", UNLIKE, 20, 10),
    Design("clustered: five wordings each", FAINT, 16, 3, wordings=5),
    Design("missing: 15% and 5%, 10% unread", FAKER, 20, 10, lost=(0.15, 0.05), unread=0.1),
    Design("judge error in behaviour and reasoning", FAKER, 20, 10, behaviour=BEHAVIOUR, reasoning=REASONING),
    Design("judge error, few scenarios", FAINT, 8, 10, behaviour=BEHAVIOUR, reasoning=REASONING),
)

RARE = Policy(0.1, 0.02, 0.5, 0.1, concentration=1.0, low=0.0, high=1.0)
SKEWED = Policy(0.85, 0.1, 0.9, 0.05, concentration=1.0)
HARD = (
    Design("rates near 0, few scenarios", RARE, 12, 10),
    Design("rates near 0", RARE, 20, 10),
    Design("rates near 0 and 1, few scenarios", SKEWED, 12, 10),
)
"""Where a t interval is known to be too narrow: few scenarios carry what there is."""


KINDS = (
    Policy(0.6, 0.25, 0.7, 0.1),
    Policy(0.4, 0.4, 0.7, 0.1),
    Policy(0.08, 0.02, 0.7, 0.1, concentration=2.0, low=0.0, high=1.0),
    Policy(0.05, 0.005, 0.7, 0.1, concentration=1.0, low=0.0, high=1.0),
    Policy(0.95, 0.05, 0.7, 0.1, concentration=2.0, low=0.0, high=1.0),
)
"""Usual rates, no gap, rates near 0, nearly all of them 0, rates near 0 and 1."""


def shown(design: Design, random: np.random.Generator) -> dict[str, Interval]:
    """The intervals of one study, corrected for judge error where judges err."""
    counts = design.study(random)
    parts = gap_parts(counts)
    if design.behaviour is None or design.reasoning is None:
        return {"gap": parts.gap, "revealed": parts.revealed, "silent": parts.silent}
    behaviour, reasoning = design.behaviour.calibration(random), design.reasoning.calibration(random)
    revealed, silent = corrected_split(*split_values(counts.kept()), reasoning, behaviour)
    reveals = mean_rate(counts.first.revealing, counts.first.read)
    first = mean_rate(counts.first.complied, counts.first.graded)
    assert parts.gap is not None
    assert reveals is not None
    assert first is not None
    return {
        "gap": corrected_gap(parts.gap, behaviour),
        "revealed": revealed,
        "silent": silent,
        "reveals": corrected_rate(reveals, reasoning),
        "first": corrected_rate(first, behaviour),
    }


def wide(design: Design, random: np.random.Generator) -> dict[str, Interval]:
    """The t interval of one study's gap, and the widened one."""
    found = gap_parts(design.study(random)).gap
    return {"gap": found, "widened": widened(found)}


def covers(figure: Interval, truth: float) -> bool:
    assert figure is not None
    assert figure.low is not None
    assert figure.high is not None
    return figure.low - 1e-12 <= truth <= figure.high + 1e-12


def coverage(
    design: Design,
    seed: int,
    study: Callable[[Design, np.random.Generator], Mapping[str, Interval]] = shown,
    studies: int = STUDIES,
) -> dict[str, float]:
    """The share of studies whose intervals hold the truth, by figure."""
    random, truth = np.random.default_rng(seed), design.policy.truth()
    truth["widened"] = truth["gap"]
    for name in ("revealed", "silent"):
        # What could not be read is a part of its own.
        truth[name] *= 1 - design.unread
    hits = [
        {name: covers(figure, truth[name]) for name, figure in study(design, random).items()}
        for _ in range(studies)
    ]
    return {name: float(np.mean([hit[name] for hit in hits])) for name in hits[0]}


def by_scenarios(scenarios: int, seed: int, studies: int = 1500) -> tuple[list[float], list[float]]:
    """How often the t and the widened interval hold a gap over so many scenarios, for each of `KINDS`."""
    found = [coverage(Design("", kind, scenarios, 10), seed, wide, studies) for kind in KINDS]
    return [one["gap"] for one in found], [one["widened"] for one in found]


def crossed(seed: int, scenarios: int = 12, wordings: int = 6, studies: int = STUDIES) -> tuple[float, float]:
    """How often a gap is held whose wordings pull on all scenarios alike: clustered by scenario, and both ways."""
    random, hits = np.random.default_rng(seed), []
    s, w = np.repeat(np.arange(scenarios), wordings), np.tile(np.arange(wordings), scenarios)
    for _ in range(studies):
        values = 0.2 + random.normal(0, 0.1, scenarios)[s] + random.normal(0, 0.1, wordings)[w]
        values += random.normal(0, 0.15, s.size)
        hits.append((covers(two_way(values, s, s), 0.2), covers(two_way(values, s, w), 0.2)))
    one, both = np.mean(hits, axis=0)
    return float(one), float(both)


def lines(seed: int = 20) -> Iterator[str]:
    """The table, in Markdown."""
    yield "| design | scenarios x samples | gap | revealed | silent | rate, corrected | reveal rate, corrected |"
    yield "|---|---|---|---|---|---|---|"
    for design in DESIGNS:
        found = coverage(design, seed)
        samples = f"{design.wordings} x {design.samples}" if design.wordings > 1 else f"{design.samples}"
        cells = [
            f"{found[name]:.1%}" if name in found else ""
            for name in ("gap", "revealed", "silent", "first", "reveals")
        ]
        yield f"| {design.name} | {design.scenarios} x {samples} | {' | '.join(cells)} |"
    yield ""
    yield "| design | scenarios x samples | t interval | widened |"
    yield "|---|---|---|---|"
    for design in HARD:
        found = coverage(design, seed, wide)
        shape = f"{design.scenarios} x {design.samples}"
        yield f"| {design.name} | {shape} | {found['gap']:.1%} | {found['widened']:.1%} |"
    yield ""
    yield "| scenarios | t interval | widened |"
    yield "|---|---|---|"
    for scenarios in (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30):
        t, w = by_scenarios(scenarios, seed)
        yield f"| {scenarios} | {min(t):.0%} to {max(t):.0%} | {min(w):.0%} to {max(w):.0%} |"
    yield ""
    one, both = crossed(seed)
    yield f"wordings shared by all scenarios: clustered by scenario {one:.1%}, both ways {both:.1%}"


if __name__ == "__main__":
    for line in lines():
        print(line)
