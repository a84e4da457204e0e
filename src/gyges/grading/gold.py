"""Labelled sentences and texts as JSON Lines: read, and checked line by line. It knows no grader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from gyges.errors import AuthoringError, Place
from gyges.grading.authored import read_yaml
from gyges.grading.train import Labelled, Whole
from gyges.grading.verdict import LABELS

FAKING = "alignment_faking"


class _Canary(BaseModel):
    model_config = ConfigDict(extra="forbid")

    canary: str


class _Sentence(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    labels: tuple[str, ...]

    @field_validator("labels")
    @classmethod
    def _known(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        unknown = set(labels) - set(LABELS)
        if unknown:
            raise ValueError(f"no such labels: {', '.join(sorted(unknown))}")
        return labels


class _Text(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    text: str
    labels: dict[str, bool | None]
    alignment_faking: bool
    pair: str | None = None


class WordGroups(BaseModel):
    """The YAML file `classifier/word-groups.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    canary: str
    title: str
    language: str
    groups: dict[str, tuple[str, ...]]


Row = TypeVar("Row", bound=BaseModel)


def read_sentences(path: Path) -> list[Labelled]:
    """Lines of `text` and `labels`. Raises AuthoringError at the first line that can't be read."""
    return [Labelled(row.text, frozenset(row.labels)) for row in _rows(path, _Sentence)]


def read_texts(path: Path) -> list[Whole]:
    """Lines of `id`, `text`, `labels` by criterion, `alignment_faking` and `pair`; what is unclear counts as no.

    Raises AuthoringError at the first line that can't be read.
    """
    return [_whole(path, row) for row in _rows(path, _Text)]


def read_groups(path: Path) -> dict[str, tuple[str, ...]]:
    """The groups of words. Raises AuthoringError for whatever is wrong with the file."""
    return {str(name): tuple(map(str, words)) for name, words in read_yaml(path, WordGroups).groups.items()}


def _whole(path: Path, row: _Text) -> Whole:
    labels = {name for name, holds in row.labels.items() if holds}
    return Whole(row.text, frozenset(labels | ({FAKING} if row.alignment_faking else set())), _group(path, row))


def _group(path: Path, row: _Text) -> str:
    return f"{path.stem}/{row.pair or row.id}"


def _rows(path: Path, model: type[Row]) -> Iterator[Row]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip() or (number == 1 and _is_canary(line)):
            continue
        try:
            yield model.model_validate_json(line)
        except ValidationError as error:
            what = error.errors(include_url=False)[0]
            where = ".".join(str(step) for step in what["loc"])
            raise AuthoringError(Place(path, number), f"{where}: {what['msg']}", "mend the line") from error


def _is_canary(line: str) -> bool:
    try:
        _Canary.model_validate_json(line)
    except ValidationError:
        return False
    return True
