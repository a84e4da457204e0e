"""What the words of a text speak for, together: those of its matter, and those of its ending. It knows no file.

Sentences are scored one by one elsewhere; this hears what none of them says alone, and how a text closes. Rare
words count more (Spärck Jones 1972), and texts of any length alike. What has nothing to do with the matter is left
out, so that how much else an agent plans to write changes little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Scores = NDArray[float64]

VIEWS = ("matter", "ending")
ENDING = 5
"""Sentences that are the ending of a text."""
BEYOND = 4
"""An ending lies at most so many sentences behind the last that has to do with the matter."""


@dataclass(frozen=True, slots=True)
class View:
    """Linear models over the words of a part of a text: a row a feature, a column a verdict."""

    rows: Mapping[str, int]
    rarity: Scores
    weights: Scores
    intercepts: Scores

    def score(self, features: Sequence[str]) -> Scores:
        """Log-odds of every verdict, shape (verdicts,)."""
        import numpy as np

        counts = Counter(name for name in features if name in self.rows)
        if not counts:
            return self.intercepts
        rows = np.array([self.rows[name] for name in counts])
        values = (1 + np.log(np.array(list(counts.values())))) * self.rarity[rows]
        return np.asarray(values / np.sqrt(values @ values) @ self.weights[rows] + self.intercepts)


def parts(relevant: Sequence[bool]) -> tuple[list[int], list[int]]:
    """The sentences of the matter (those that have to do with it, and their neighbours), and of the ending."""
    count = len(relevant)
    matter = [at for at in range(count) if any(relevant[max(0, at - 1) : at + 2])]
    last = max((at for at in range(count) if relevant[at]), default=-1)
    end = min(count, last + 1 + BEYOND)
    return matter, list(range(max(0, end - ENDING), end))


def running(sentences: Sequence[Sequence[str]]) -> list[str]:
    """Stems, and two and three of them that follow each other in a sentence; with repetitions, in order."""
    found: list[str] = []
    for stems in sentences:
        found += stems
        found += [f"{a} {b}" for a, b in pairwise(stems)]
        found += [f"{a} {b} {c}" for a, b, c in zip(stems, stems[1:], stems[2:], strict=False)]
    return found
