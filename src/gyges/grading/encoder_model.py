"""A trained reader of what an encoder makes of a text: what is said, how surely, and where. It knows no file.

Each verdict attends to the pieces of words that say it (as in Yang et al. 2016) and weighs what it finds there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

from gyges.grading.encoder import Encoder, softmax

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from gyges.grading.encoder import Numbers

    Scores = NDArray[float64]

SOFT = 4.0
"""How far a verdict's log-odds bear on the others' before they level off."""
SUREST = 1e-4
"""No reader of words is taken to be surer than this."""
HALF = 0.5
"""What the log-odds that a piece of a word says it count for, beside what is found there."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """From log-odds to the probability of a verdict (stacking, Wolpert 1992); found from the threshold on."""

    name: str
    slope: float
    """What the log-odds on the encoder count for, and those of a reader of words:"""
    words: float
    offset: float
    threshold: float

    def probability(self, odds: float, by_words: float) -> float:
        """From log-odds on the encoder, and the probability by words."""
        kept = min(max(by_words, SUREST), 1 - SUREST)
        return 1 / (1 + exp(-(self.slope * odds + self.words * log(kept / (1 - kept)) + self.offset)))


@dataclass(frozen=True, slots=True)
class Heads:
    """What is asked of every vector: `said` and `weighed` are (verdicts, WIDTH), the others (verdicts,)."""

    said: Numbers
    said_offset: Numbers
    sharpness: Numbers
    weighed: Numbers
    weighed_offset: Numbers
    beside: Numbers
    """(verdicts, verdicts): what each verdict gains by the others' log-odds."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was read in a text: the log-odds of each verdict, and how clearly each piece of a word says it."""

    logits: Mapping[str, float]
    clear: Scores
    """(pieces of words, verdicts), log-odds."""
    offsets: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class EncoderModel:
    """An adapted encoder and the verdicts that were trained on it."""

    version: str
    encoder: Encoder
    heads: Heads
    verdicts: tuple[Verdict, ...]
    seen: frozenset[str]
    """The fingerprints of what it was trained on."""

    def read(self, text: str, left_out: Sequence[tuple[int, int]] = ()) -> Said:
        """What is said in a text, and where. Spans that are `left_out` are read, and say nothing."""
        import numpy as np

        states, offsets = self.encoder.read(text)
        starts, ends = np.array(offsets, dtype=np.intp).reshape(-1, 2).T
        counts = np.ones(len(offsets), dtype=bool)
        for first, last in left_out:
            counts &= (starts < first) | (ends > last)
        if not counts.any():
            return Said({}, np.zeros((0, 0)), ())
        clear = states @ self.heads.said.T + self.heads.said_offset
        found = self._logits(states[counts], clear[counts])
        logits = {one.name: float(logit) for one, logit in zip(self.verdicts, found, strict=True)}
        return Said(logits, clear.astype(np.float64), offsets)

    def _logits(self, states: Numbers, clear: Numbers) -> Numbers:
        import numpy as np

        heads = self.heads
        shares = softmax(clear * heads.sharpness, axis=0)
        found = shares * (states @ heads.weighed.T + HALF * clear)
        alone: Numbers = found.sum(axis=0) + heads.weighed_offset
        logits: Numbers = alone + np.tanh(alone / SOFT) @ heads.beside.T
        return logits
