"""A trained classifier as a file: JSON, which can't execute, checked in full before it is used.

It knows the form; what the numbers mean stands in `classifier.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from gyges.errors import UsageError
from gyges.grading.classifier import Classifier, Verdict
from gyges.grading.features import groups_of
from gyges.grading.learned import read_learned, table
from gyges.grading.verdict import LABELS, names
from gyges.grading.whole import VIEWS, View
from gyges.study import places

CODE = "3"
"""Goes up when the engine's code changes what a stored model finds."""
SCALE = 100
"""Weights of sentences are stored as whole hundredths."""
LARGEST = 100_000
"""A weight beyond this is none that training makes."""
FEWEST = 100
"""A vocabulary of fewer features is none."""
VERDICTS = (*LABELS[:5], "alignment_faking")


class StoredVerdict(BaseModel):
    """One verdict: weights by the name of what they weigh, in the order of `verdict.names`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    intercept: float
    threshold: float
    weights: tuple[float, ...]

    @model_validator(mode="after")
    def _whole(self) -> StoredVerdict:
        if len(self.weights) != len(names()):
            raise ValueError(f"{len(self.weights)} weights, and {len(names())} are needed")
        if not 0 < self.threshold < 1:
            raise ValueError("the threshold is no probability between 0 and 1")
        if not any(self.weights):
            raise ValueError("all weights are 0")
        return self


class StoredView(BaseModel):
    """What the words of a part of a text speak for. A feature's row has its rarity, then a weight a verdict."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    intercepts: tuple[float, ...]
    features: dict[str, tuple[int, ...]]

    @model_validator(mode="after")
    def _sound(self) -> StoredView:
        if len(self.intercepts) != len(VERDICTS):
            raise ValueError(f"{len(self.intercepts)} intercepts, and {len(VERDICTS)} are needed")
        for name, row in self.features.items():
            if len(row) != 1 + len(VERDICTS) or max(map(abs, row)) > LARGEST or row[0] <= 0:
                raise ValueError(f"'{name}' has no rarity and {len(VERDICTS)} weights up to {LARGEST:,}")
        if not any(any(row[1:]) for row in self.features.values()):
            raise ValueError("there is no weight but 0")
        return self


class StoredModel(BaseModel):
    """The file. `features` has a row of whole numbers a feature, one a label."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    canary: str
    kind: Literal["gyges reasoning classifier"]
    form: Literal[3]
    trained_on: str
    """What it was trained on, in words."""
    seen: tuple[str, ...] = ()
    """The fingerprints (`seen.fingerprint`) of the texts and sentences that it was trained on."""
    labels: tuple[str, ...]
    offers: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    intercepts: tuple[float, ...]
    verdicts: dict[str, StoredVerdict]
    views: dict[str, StoredView]
    features: dict[str, tuple[int, ...]]

    @field_validator("labels")
    @classmethod
    def _known(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        return _same(labels, LABELS)

    @field_validator("offers")
    @classmethod
    def _offered(cls, offers: tuple[str, ...]) -> tuple[str, ...]:
        return _same(offers, tuple(names()))

    @field_validator("features")
    @classmethod
    def _sound(cls, features: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        if len(features) < FEWEST:
            raise ValueError(f"the vocabulary has {len(features)} features, and at least {FEWEST} are needed")
        for name, row in features.items():
            if len(row) != len(LABELS) or max(map(abs, row)) > LARGEST:
                raise ValueError(f"the weights of '{name}' are not {len(LABELS)} numbers up to {LARGEST:,}")
        if not all(any(row[at] for row in features.values()) for at in range(len(LABELS))):
            raise ValueError("a label has no weight but 0")
        return features

    @model_validator(mode="after")
    def _complete(self) -> StoredModel:
        _same(tuple(self.verdicts), VERDICTS)
        _same(tuple(self.views), VIEWS)
        if len(self.intercepts) != len(LABELS):
            raise ValueError(f"{len(self.intercepts)} intercepts, and {len(LABELS)} are needed")
        return self


def _same(found: tuple[str, ...], expected: tuple[str, ...]) -> tuple[str, ...]:
    if found != expected:
        odd = sorted(set(found) ^ set(expected)) or ["their order"]
        raise ValueError(f"these differ from what the engine reads: {', '.join(odd[:5])}")
    return found


@lru_cache(maxsize=4)
def load_classifier(path: Path) -> Classifier:
    """Read and check a stored classifier. Raises AuthoringError for whatever is wrong with it."""
    to_do = "train it again with `gyges calibrate --train`, or remove the file to use the library's"
    stored, sha256 = read_learned(path, StoredModel, "classifier", to_do)
    return made(stored, f"{CODE}:{sha256}")


def made(stored: StoredModel, version: str) -> Classifier:
    """The stored classifier, ready to use."""
    import numpy as np

    rows = {name: at for at, name in enumerate(stored.features)}
    weights = np.array([*stored.features.values(), [0] * len(LABELS)], dtype=np.float64) / SCALE
    verdicts = tuple(
        Verdict(name, one.weights, one.intercept, one.threshold) for name, one in stored.verdicts.items()
    )
    seen = frozenset(stored.seen)
    views = tuple(map(_view, stored.views.values()))
    groups = groups_of(stored.groups)
    return Classifier(version, groups, rows, weights, stored.intercepts, seen, verdicts=verdicts, views=views)


def _view(stored: StoredView) -> View:
    import numpy as np

    numbers = np.array(list(stored.features.values()), dtype=np.float64) / SCALE
    rows = {name: at for at, name in enumerate(stored.features)}
    return View(rows, numbers[:, 0], numbers[:, 1:], np.array(stored.intercepts))


def stored_view(view: View) -> StoredView:
    """The view, its numbers as whole hundredths."""
    import numpy as np

    numbers = np.rint(np.column_stack([view.rarity, view.weights]) * SCALE).astype(int)
    features = {name: tuple(map(int, numbers[row])) for name, row in view.rows.items()}
    return StoredView(intercepts=tuple(round(float(one), 4) for one in view.intercepts), features=features)


def check_features(features: Mapping[str, Sequence[int]], columns: int, called: str) -> None:
    """Raises ValueError unless every feature has a weight a column, and no column has only zeros.

    `called` is what a column stands for.
    """
    if len(features) < FEWEST:
        raise ValueError(f"the vocabulary has {len(features)} features, and at least {FEWEST} are needed")
    for name, row in features.items():
        if len(row) != columns or max(map(abs, row)) > LARGEST:
            raise ValueError(f"the weights of '{name}' are not {columns} numbers up to {LARGEST:,}")
    if not all(any(row[at] for row in features.values()) for at in range(columns)):
        raise ValueError(f"a {called} has no weight but 0")


def write_classifier(stored: StoredModel, path: Path) -> None:
    """The file, the same bytes for the same model; one feature a line, so that versions can be compared."""
    record = stored.model_dump()
    features = record.pop("features")
    views = {name: table(view.pop("features")) for name, view in record["views"].items()}
    for name, view in record["views"].items():
        view["features"] = name  # where its table goes
    text = json.dumps(record, indent=1, ensure_ascii=False)[:-2]
    for name, rows in views.items():
        text = text.replace(f'"features": {json.dumps(name)}', f'"features": {rows}')
    path.write_text(f'{text},\n "features": {table(features)}\n}}\n', encoding="utf-8")


def find_classifier(name: str) -> Path:
    """The file `classifier/NAME.json` of the study, else of the library. Raises UsageError if there is none."""
    for folder in places("grading"):
        path = folder / "classifier" / f"{name}.json"
        if path.is_file():
            return path
    raise UsageError(f"there is no classifier '{name}'", "put it into grading/classifier/ of your study")
