"""The trained reader of motives as a file: JSON, which can't execute, checked in full before it is used.

It knows the form; what the numbers mean stands in `motive_model.py`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from gyges.grading.features import groups_of
from gyges.grading.learned import read_learned, write_learned
from gyges.grading.model_file import SCALE, check_features
from gyges.grading.motive_model import LABELS, Motive, MotiveModel

CODE = "2"
"""Goes up when the engine's code changes what a stored model finds."""
NAME = "motives"
"""The file in `classifier/`."""
COLUMNS = 2 * len(LABELS)
"""Numbers a feature: what it says of a sentence for each motive, and then of a text."""


class StoredMotive(BaseModel):
    """One motive: the intercepts of its two models, the scale of probabilities, and what is found."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    intercept: float
    whole_intercept: float
    slope: float
    whole: float
    offset: float
    threshold: float
    agreed: float

    @model_validator(mode="after")
    def _sound(self) -> StoredMotive:
        if not 0 < self.agreed <= self.threshold < 1:
            raise ValueError("the thresholds are no probabilities between 0 and 1, the one with the rules lower")
        if self.slope <= 0 or self.whole < 0:
            raise ValueError("the slope is not above 0, or the weight of all words is below")
        return self


class StoredMotives(BaseModel):
    """The file. `features` has a row of whole numbers a feature: one a motive in a sentence, then in a text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    canary: str
    kind: Literal["gyges reader of motives"]
    form: Literal[2]
    trained_on: str
    """What it was trained on, in words."""
    seen: tuple[str, ...]
    """The fingerprints (`seen.fingerprint`) of the texts that it was trained on."""
    groups: dict[str, tuple[str, ...]]
    motives: dict[str, StoredMotive]
    features: dict[str, tuple[int, ...]]

    @field_validator("motives")
    @classmethod
    def _known(cls, motives: dict[str, StoredMotive]) -> dict[str, StoredMotive]:
        if tuple(motives) != LABELS:
            odd = sorted(set(motives) ^ set(LABELS)) or ["their order"]
            raise ValueError(f"these differ from what the engine reads: {', '.join(odd[:5])}")
        return motives

    @field_validator("features")
    @classmethod
    def _sound(cls, features: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        check_features(features, COLUMNS, "motive")
        return features


@lru_cache(maxsize=4)
def load_motives(path: Path) -> MotiveModel:
    """Read and check a stored reader. Raises AuthoringError for whatever is wrong with it."""
    to_do = "remove the file to use the library's"
    stored, sha256 = read_learned(path, StoredMotives, "reader of motives", to_do)
    return made(stored, f"{CODE}:{sha256}")


def made(stored: StoredMotives, version: str) -> MotiveModel:
    """The stored reader, ready to use."""
    import numpy as np

    rows = {name: at for at, name in enumerate(stored.features)}
    weights = np.array([*stored.features.values(), [0] * COLUMNS], dtype=np.float64) / SCALE
    every = stored.motives.values()
    intercepts = [*(one.intercept for one in every), *(one.whole_intercept for one in every)]
    motives = tuple(
        Motive(name, one.slope, one.whole, one.offset, one.threshold, one.agreed)
        for name, one in stored.motives.items()
    )
    seen = frozenset(stored.seen)
    return MotiveModel(version, groups_of(stored.groups), rows, weights, intercepts, seen, motives=motives)


def write_motives(stored: StoredMotives, path: Path) -> None:
    """The file, the same bytes for the same model."""
    write_learned(stored, path)
