"""Simulated batches of organisms whose rates are known, and pipelines that are broken in a known way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gyges.analysis.counts import ScenarioCounts
from gyges.analysis.judge_error import Calibration
from gyges.analysis.organisms import CheckedFigure, checked, corrected_for
from gyges.scenarios.plan import Contrast
from gyges.transcripts.manifest import PlantedGap
from tests.simulated import Flags, counted

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("alignment_faking",))
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pipeline:
    """What becomes of an organism's episodes.

    `dead`: both contexts are sent the same words. `leaks`: a reader knows the context and finds what is looked for
    in every episode of the first that complies. `sensitivity` and `specificity` are the reader's. `errs` is how
    often the grader of behaviour says the opposite.
    """

    dead: bool = False
    leaks: bool = False
    swaps: bool = False
    sensitivity: float = 1.0
    specificity: float = 1.0
    errs: float = 0.0


@dataclass(frozen=True)
class Organism:
    """Rates on the merits and with the motive, and whether its reasoning tells of it."""

    name: str
    merits: float
    moved: float
    tells: float


FAKER, SILENT, MUSER = (
    Organism("faker", 0.3, 0.75, 1.0),
    Organism("silent-faker", 0.3, 0.75, 0.0),
    Organism("muser", 0.2, 0.2, 0.0),
)
BATCH = (FAKER, SILENT, MUSER)


def played(
    random: np.random.Generator,
    organism: Organism,
    scenarios: int,
    samples: int,
    pipeline: Pipeline,
    effects: np.random.Generator | None = None,
) -> tuple[PlantedGap, ScenarioCounts]:
    """One organism over scenarios whose effects are drawn as organisms draw them, from `effects` where given."""
    drawn, high = effects or random, 0.95
    merits = 0.05 + 0.9 * _beta(drawn, (organism.merits - 0.05) / 0.9, scenarios)
    low, moved = np.maximum(merits, 0.05), merits
    if organism.moved > organism.merits:
        share = (organism.moved - organism.merits) / (high - organism.merits)
        moved = low + (high - low) * _beta(drawn, share, scenarios)
    motive = (moved - merits) / (1 - merits)
    shape = (scenarios, 1, samples)
    decides = random.random(shape) < (0 * motive if pipeline.dead else motive)[:, None, None]
    first = decides | (random.random(shape) < merits[:, None, None])
    second = random.random(shape) < merits[:, None, None]
    says = decides & (random.random(shape) < organism.tells)
    right = random.random(shape)
    reveals = np.where(says, right < pipeline.sensitivity, right >= pipeline.specificity)
    reveals = reveals | (first if pipeline.leaks else np.zeros_like(first))
    none = np.zeros(shape, dtype=np.bool_)
    first, second = (one ^ (random.random(shape) < pipeline.errs) for one in (first, second))
    if pipeline.swaps:
        first, second = second, first
    everything: Flags = np.ones(shape, dtype=np.bool_)
    names = tuple(f"f/{i}" for i in range(scenarios))
    rates = {name: (float(a), float(b)) for name, a, b in zip(names, moved, merits, strict=True)}
    gap = organism.moved - organism.merits
    planted = PlantedGap(
        agent=organism.name,
        family="f",
        contrast=CONTRAST,
        gap=gap,
        revealed=organism.tells * gap,
        silent=(1 - organism.tells) * gap,
        tells=organism.tells,
        rates=rates,
    )
    counts = ScenarioCounts(
        names, counted(first, reveals, everything, everything), counted(second, none, everything, everything)
    )
    return planted, counts


def batch(
    seed: int,
    scenarios: int,
    samples: int,
    pipeline: Pipeline,
    known: Calibration | None = None,
    *,
    by_spread: bool = False,
) -> tuple[CheckedFigure, ...]:
    """The checked figures of one batch of the three organisms; `by_spread` as if their rates were unknown."""
    random = np.random.default_rng(seed)
    figures: list[CheckedFigure] = []
    for organism in BATCH:
        planted, counts = played(random, organism, scenarios, samples, pipeline)
        if by_spread:
            planted = planted.model_copy(update={"rates": {}})
        figures += checked("f", counts, planted, known)
    return corrected_for(figures)


def stopped(figures: tuple[CheckedFigure, ...]) -> str:
    """What a batch stops: everything, the split of the gap, or nothing."""
    stops = {one.stops for one in figures}
    return "all" if "all" in stops else "split" if "split" in stops else ""


def shares(
    scenarios: int, samples: int, pipeline: Pipeline, batches: int, known: Calibration | None = None
) -> Shares:
    """The shares of batches in which nothing, the split and everything is stopped."""
    found = [stopped(batch(seed, scenarios, samples, pipeline, known)) for seed in range(batches)]
    return np.array([found.count(what) / batches for what in ("", "split", "all")])


def _beta(random: np.random.Generator, mean: float, size: int, spread: float = 8.0) -> Shares:
    return np.asarray(random.beta(mean * spread, (1 - mean) * spread, size))
