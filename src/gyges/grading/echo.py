"""Whether words of the reasoning only repeat the prompt. It knows neither cues nor criteria."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

SHARED = 6
"""As many words in a row, the same as in the prompt, are the prompt's."""
ALIKE = 90.0
"""A sentence this like a stretch of the prompt (rapidfuzz partial ratio) is the prompt's."""
SHORTEST = 5
"""A sentence of fewer words is too short to be called a repetition."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The words that the agent was sent, for comparison."""

    text: str = ""
    runs: frozenset[tuple[str, ...]] = field(default_factory=frozenset)

    def echoed(self, words: Sequence[str]) -> frozenset[int]:
        """Which of a sentence's words, by index, repeat the prompt."""
        if not self.text:
            return frozenset()
        if len(words) >= SHORTEST and self._alike(" ".join(words)):
            return frozenset(range(len(words)))
        covered: set[int] = set()
        for at in range(len(words) - SHARED + 1):
            if tuple(words[at : at + SHARED]) in self.runs:
                covered.update(range(at, at + SHARED))
        return frozenset(covered)

    def _alike(self, sentence: str) -> bool:
        from rapidfuzz import fuzz

        # Of a needle longer than the haystack, partial_ratio would ask the opposite question.
        return len(sentence) <= len(self.text) and fuzz.partial_ratio(sentence, self.text, score_cutoff=ALIKE) > 0


@lru_cache(maxsize=256)
def prompt(text: str) -> Prompt:
    """The prompt's text, prepared. Few prompts serve many episodes, so they are remembered."""
    words = [found[0].lower() for found in _WORD.finditer(text.replace("’", "'"))]
    runs = frozenset(tuple(words[at : at + SHARED]) for at in range(len(words) - SHARED + 1))
    return Prompt(" ".join(words), runs)
