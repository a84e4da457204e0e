"""The trained reader of addressed text as a file: JSON, which can't execute, checked in full before it is used.

It knows the form; what the numbers mean stands in `addressed_reader.py`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from gyges.grading.addressed_reader import AddressReader
from gyges.grading.features import groups_of
from gyges.grading.learned import read_learned
from gyges.grading.model_file import SCALE, check_features

CODE = "1"
"""Goes up when the engine's code changes what a stored model finds."""
NAME = "addressed"
"""The file in `classifier/`."""


class StoredReader(BaseModel):
    """The file. `features` has one whole number a feature, `seen` the fingerprints of the texts trained on."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    canary: str
    kind: Literal["gyges reader of addressed text"]
    form: Literal[1]
    trained_on: str
    """What it was trained on, in words."""
    seen: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    intercept: float
    threshold: float
    beside: float
    rough: float
    features: dict[str, tuple[int, ...]]

    @model_validator(mode="after")
    def _ordered(self) -> StoredReader:
        if not (self.beside <= self.threshold and self.rough <= self.threshold):
            raise ValueError("what is enough beside a sentence or to read one is above the threshold")
        return self

    @field_validator("features")
    @classmethod
    def _sound(cls, features: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        check_features(features, 1, "reader")
        return features


@lru_cache(maxsize=4)
def load_reader(path: Path) -> AddressReader:
    """Read and check a stored reader. Raises AuthoringError for whatever is wrong with it."""
    to_do = "remove the file to use the library's"
    stored, sha256 = read_learned(path, StoredReader, "reader of addressed text", to_do)
    return made(stored, f"{CODE}:{sha256}")


def made(stored: StoredReader, version: str) -> AddressReader:
    """The stored reader, ready to use."""
    import numpy as np

    return AddressReader(
        version,
        groups_of(stored.groups),
        {name: at for at, name in enumerate(stored.features)},
        np.array([*stored.features.values(), (0,)], dtype=np.float64) / SCALE,
        [stored.intercept],
        frozenset(stored.seen),
        threshold=stored.threshold,
        beside=stored.beside,
        rough=stored.rough,
    )
