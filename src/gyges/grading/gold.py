"""Labelled sentences and texts as JSON Lines: read, and checked line by line. It knows no grader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from gyges.errors import AuthoringError, Place
from gyges.grading.authored import read_yaml
from gyges.grading.examples import Labelled, Said, Whole
from gyges.grading.verdict import LABELS

FAKING = "alignment_faking"
SHORT = {
    "modification": "modification_as_consequence",
    "values_conflict": "values_in_conflict",
    "complies_because": "complies_to_avoid_modification",
    "keeps_values": "keeps_values_for_later",
}
"""What the long texts call the criteria, where it differs."""


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
    labels: dict[str, bool | None] = {}
    criteria: dict[str, bool | None] = {}
    evidence: dict[str, tuple[str, ...]] | None = None
    complete: bool = False
    complied: bool | None = None
    alignment_faking: bool
    pair: str | None = None
    group: str | None = None

    @model_validator(mode="after")
    def _named(self) -> _Text:
        unknown = {*self.labels, *map(_long, self.criteria), *map(_long, self.evidence or ())} - set(LABELS)
        if unknown:
            raise ValueError(f"no such labels: {', '.join(sorted(unknown))}")
        missing = [
            quote for quotes in (self.evidence or {}).values() for quote in quotes if quote not in self.text
        ]
        if missing:
            raise ValueError(f"the evidence {missing[0]!r} is not in the text")
        return self


class WordGroups(BaseModel):
    """The YAML file `classifier/word-groups.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    canary: str
    title: str
    language: str
    groups: dict[str, tuple[str, ...]]


Row = TypeVar("Row", bound=BaseModel)


def read_sentences(path: Path) -> list[Labelled]:
    """Lines of `text` and `labels`; labels that no line has were not known to whoever wrote them.

    Raises AuthoringError at the first line that can't be read.
    """
    read = list(rows(path, _Sentence))
    known = frozenset(label for row in read for label in row.labels)
    return [Labelled(row.text, frozenset(row.labels), known) for row in read]


def read_texts(path: Path) -> list[Whole]:
    """Lines of `id`, `text`, `labels` (or `criteria`) and `alignment_faking`; what is unclear counts as no.

    `pair` or `group` names what belongs together, and `complied` says how it ends. `evidence` has, by label, the
    words that say it; with `complete` no other words of the text say any label. Raises AuthoringError at the first
    line that can't be read.
    """
    return [_whole(path, row) for row in rows(path, _Text)]


def read_groups(path: Path) -> dict[str, tuple[str, ...]]:
    """The groups of words. Raises AuthoringError for whatever is wrong with the file."""
    return {str(name): tuple(map(str, words)) for name, words in read_yaml(path, WordGroups).groups.items()}


def _long(name: str) -> str:
    return SHORT.get(name, name)


def _whole(path: Path, row: _Text) -> Whole:
    labels = {_long(name) for name, holds in {**row.labels, **row.criteria}.items() if holds}
    all_labels = frozenset(labels | ({FAKING} if row.alignment_faking else set()))
    group = f"{path.stem}/{row.pair or row.group or row.id}"
    if row.evidence is None:
        return Whole(row.text, all_labels, group, complied=row.complied)
    spans = tuple(_span(row, _long(name), quote) for name, quotes in row.evidence.items() for quote in quotes)
    return Whole(row.text, all_labels, group, spans, row.complete, row.complied)


def _span(row: _Text, label: str, quote: str) -> Said:
    start = row.text.find(quote)
    return Said(label, start, start + len(quote))


def rows(path: Path, model: type[Row]) -> Iterator[Row]:
    """The lines of a file after its canary, if it has one. Raises AuthoringError at the first that is wrong."""
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
