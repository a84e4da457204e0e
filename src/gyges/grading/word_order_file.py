"""What was learned of the order of English words, as data: read, checked and prepared. It reads no text."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from gyges.grading.learned import read_learned
from gyges.grading.word_order import KINDS, SIGNS, Classes, WordOrder
from gyges.study import library

CODE = "1"
"""Goes up when the engine reads the same data in another way."""
HUNDREDTHS = 100
TO_DO = "learn it again with `python benchmarks/train_word_order.py`"


class StoredOrder(BaseModel):
    """The file `classifier/word-order.json`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    canary: str
    kind: Literal["gyges word order"]
    form: Literal[1]
    learned_from: str
    """What it was learned from, in words."""
    classes: tuple[tuple[str, ...], ...]
    """The words, and marks, of each class from 1 on; 0 is the beginning and the end of a sentence."""
    follows: tuple[tuple[int, ...], ...]
    """A row a class, from 0 on: in hundredths, the log of how much more often than by chance the others follow."""
    small: tuple[str, ...]
    verbs: tuple[str, ...]
    weights: dict[str, float]
    threshold: float

    @model_validator(mode="after")
    def _sound(self) -> StoredOrder:
        if tuple(self.weights) != SIGNS:
            raise ValueError(f"the weights are not those of {', '.join(SIGNS)}")
        if self.threshold <= 0:
            raise ValueError("the threshold is not above 0")
        size = len(self.classes) + 1
        if [len(row) for row in self.follows] != [size] * size:
            raise ValueError(f"{size} classes, and not as many rows and columns of what follows")
        return self


@lru_cache(maxsize=1)
def english() -> WordOrder:
    """What the library knows; a study has no other. Raises AuthoringError as `load_word_order` does."""
    return load_word_order(library() / "grading" / "classifier" / "word-order.json")


def load_word_order(path: Path) -> WordOrder:
    """Read and check such a file. Raises AuthoringError for whatever is wrong with it."""
    stored, sha256 = read_learned(path, StoredOrder, "order of words", TO_DO)
    return prepared(stored, f"{CODE}:{sha256}")


def prepared(stored: StoredOrder, version: str) -> WordOrder:
    """The same, as it is used."""
    import numpy as np

    return WordOrder(
        classes=Classes(stored.classes),
        alone=sum(1 for words in stored.classes if len(words) == 1),
        follows=np.pad(np.array(stored.follows) / HUNDREDTHS, (0, KINDS)),
        small=frozenset(stored.small),
        verbs=frozenset(stored.verbs),
        weights=np.array(list(stored.weights.values())),
        threshold=stored.threshold,
        version=version,
    )
