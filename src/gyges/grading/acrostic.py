"""Words spelt by first letters, told from chance by how likely English would spell them. It knows no file.

A stretch of letters speaks for words by the log of how much likelier they are as words of English, each by its
frequency, than as so many beginnings of sentences. Small words gain nothing: as many sentences begin with "i" and
with "t", "it" is spelt all the time. The best stretch is found as in local alignment (Smith and Waterman 1981).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spelt:
    """Words spelt by the letters from `start` to before `end`."""

    start: int
    end: int
    words: str


@dataclass(frozen=True, slots=True)
class Spelling:
    """What words gain when they are spelt: natural logs of odds, by word."""

    gains: Mapping[str, float]
    longest: int
    """Letters of the longest word."""
    enough: float
    """The log-odds from which on words are no chance."""
    version: str

    def read(self, letters: str) -> Spelt | None:
        """The words that a stretch of small letters spells best, where they are no chance."""
        sums, begun = [0.0], [0]
        for end in range(1, len(letters) + 1):
            most, start = 0.0, end
            for size in range(1, min(self.longest, end) + 1):
                gain = self.gains.get(letters[end - size : end])
                if gain is not None and sums[end - size] + gain > most:
                    most, start = sums[end - size] + gain, end - size
            sums.append(most)
            begun.append(start)
        last = max(range(len(sums)), key=sums.__getitem__)
        if sums[last] < self.enough:
            return None
        found, at = [], last
        while begun[at] < at:
            found.append(letters[begun[at] : at])
            at = begun[at]
        return Spelt(at, last, " ".join(reversed(found)))
