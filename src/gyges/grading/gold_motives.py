"""Texts and sentences that are labelled for motives, as JSON Lines. It knows no grader."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from gyges.grading.examples import Labelled, Said, Whole
from gyges.grading.gold import rows
from gyges.grading.motive_model import LABELS

RUN = 20
"""Texts that follow each other are often twins: so many in a row are kept together where no group is named."""


class _Text(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    group: str | None = None
    text: str
    labels: dict[str, bool]
    evidence: dict[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _sound(self) -> _Text:
        if set(self.labels) != set(LABELS):
            raise ValueError("the labels are not those of the ten motives")
        if set(self.evidence) != {name for name, holds in self.labels.items() if holds}:
            raise ValueError("there is evidence for other motives than the labels say")
        missing = [quote for quotes in self.evidence.values() for quote in quotes if quote not in self.text]
        if missing:
            raise ValueError(f"the evidence {missing[0]!r} is not in the text")
        return self


class _Sentence(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    labels: tuple[str, ...]

    @model_validator(mode="after")
    def _known(self) -> _Sentence:
        unknown = set(self.labels) - set(LABELS)
        if unknown:
            raise ValueError(f"no such motives: {', '.join(sorted(unknown))}")
        return self


def read_motives(path: Path) -> list[Whole]:
    """Lines of `id`, `text`, `labels` and `evidence`, and where in its text each is said; `group` names twins.

    Raises AuthoringError at the first line that can't be read.
    """
    return [
        Whole(
            one.text,
            frozenset(name for name, holds in one.labels.items() if holds),
            f"{path.stem}/{one.group or number // RUN}",
            tuple(_span(one.text, name, quote) for name, quotes in one.evidence.items() for quote in quotes),
            complete=True,
        )
        for number, one in enumerate(rows(path, _Text))
    ]


def read_motive_sentences(path: Path) -> list[Labelled]:
    """Lines of `text`, a sentence or a few, and `labels`. Raises AuthoringError at the first that is wrong."""
    return [Labelled(one.text, frozenset(one.labels), frozenset(LABELS)) for one in rows(path, _Sentence)]


def _span(text: str, name: str, quote: str) -> Said:
    start = text.find(quote)
    return Said(name, start, start + len(quote))
