"""How often words and first letters of sentences were counted: data, read and checked. It reads no text."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gyges.grading.acrostic import Spelling
from gyges.grading.learned import read_learned
from gyges.study import library

CODE = "1"
"""Goes up when the engine reads the same data in another way."""
ENOUGH = 14.0
"""Log-odds. Of 8,000 rows of first letters in the texts for development the highest is 9.6, by a single word."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Count = Annotated[int, Field(gt=0)]


class StoredCounts(BaseModel):
    """The file `classifier/words.json`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    canary: str
    kind: Literal["gyges counts of words"]
    form: Literal[1]
    learned_from: str
    words: dict[Annotated[str, Field(pattern="^[a-z]{1,30}$")], Count]
    initials: dict[str, Count]
    """Of sentences, by letter."""

    @model_validator(mode="after")
    def _sound(self) -> StoredCounts:
        if "".join(sorted(self.initials)) != LETTERS:
            raise ValueError("the initials are not the letters from a to z")
        if not self.words:
            raise ValueError("there are no words")
        return self


@lru_cache(maxsize=1)
def spelling() -> Spelling:
    """What the library knows; a study has no other. Raises AuthoringError as `load_spelling` does."""
    return load_spelling(library() / "grading" / "classifier" / "words.json")


def load_spelling(path: Path) -> Spelling:
    """Read and check such a file. Raises AuthoringError for whatever is wrong with it."""
    to_do = "count them again with `python benchmarks/count_words.py`"
    stored, sha256 = read_learned(path, StoredCounts, "count of words", to_do)
    return Spelling(gains(stored), max(map(len, stored.words)), ENOUGH, f"{CODE}:{sha256}")


def gains(stored: StoredCounts) -> dict[str, float]:
    """By word: the log of its share of words, less those of its letters' shares of first letters."""
    words, firsts = sum(stored.words.values()), sum(stored.initials.values())
    letters = {letter: math.log(count / firsts) for letter, count in stored.initials.items()}
    return {
        word: math.log(count / words) - sum(map(letters.__getitem__, word)) for word, count in stored.words.items()
    }
