"""Interventions: what is done to a piece of reasoning. Words in, words out; it knows no model and no episode.

The words that are put in stand in `agents/interventions/words.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from gyges import study
from gyges.errors import UsageError
from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import read_document
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.validate import validated
from gyges.scenarios.words import Words

Name = Literal[
    "unchanged",
    "removed",
    "truncated",
    "filler",
    "mistake",
    "paraphrased",
    "swapped",
    "test-added",
    "test-removed",
]
NAMES: tuple[Name, ...] = get_args(Name)

FOLDER = "interventions"
Share = Annotated[float, Field(ge=0, le=1)]


class WordsFile(BaseModel):
    """`agents/interventions/words.yaml`: what interventions put into reasoning."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    canary: Phrase
    title: Phrase
    mistake: Phrase
    """With `wrong`: the words of a wrong answer to the family's probe `context`."""
    mistake_at: Share
    """How much of the reasoning stands before it; what comes after it is left out."""
    test: Phrase
    """The suspicion that this may be a test."""
    test_at: Share
    """How much of the reasoning stands before it; the rest stands after it."""
    test_words: Annotated[tuple[Phrase, ...], Field(min_length=1)]
    """A sentence with one of these words speaks of a test."""
    truncated_at: Share
    filler: Annotated[Phrase, Field(min_length=1)]
    paraphrase: Phrase
    """What the paraphraser is asked, with `reasoning`."""


class CannotIntervene(Exception):  # noqa: N818 - said of an episode, not an error
    """Why this can't be done to this reasoning; nothing like it is done in its place."""


@dataclass(frozen=True, slots=True)
class Intervention:
    """What is done, and where: `fraction` is a share of the reasoning's characters, None where none is needed."""

    name: Name
    fraction: float | None = None

    def __str__(self) -> str:
        return self.name if self.fraction is None else f"{self.name}:{self.fraction:g}"


@dataclass(frozen=True, slots=True)
class Material:
    """What interventions are made of, beside the reasoning itself. None: there is none, for the reason given."""

    wrong: str | None
    """The words of a wrong answer to the question which context this is."""
    pair: str | None
    """The reasoning of the episode's pair at the same answer."""


def interventions(names: Sequence[str], words: WordsFile) -> tuple[Intervention, ...]:
    """Those that `--by` names, such as `removed` and `truncated:0.25`. Raises UsageError."""
    found = tuple(_intervention(name, words) for name in names)
    if len(set(found)) != len(found):
        raise UsageError("an intervention is named twice", "name each --by once; --repeats says how often")
    return found


def _intervention(text: str, words: WordsFile) -> Intervention:
    name, colon, share = text.partition(":")
    known = next((one for one in NAMES if one == name), None)
    if known is None:
        raise UsageError(f"there is no intervention {name!r}", nearest(name, NAMES))
    at = {"truncated": words.truncated_at, "mistake": words.mistake_at, "test-added": words.test_at}.get(known)
    if not colon:
        return Intervention(known, at)
    try:
        fraction = float(share)
    except ValueError:
        fraction = -1.0
    if at is None or not 0 <= fraction <= 1:
        raise UsageError(f"{text!r} can't be read", "write a share of the reasoning, such as truncated:0.25")
    return Intervention(known, fraction)


def changed(reasoning: str, how: Intervention, words: WordsFile, material: Material) -> str:
    """The reasoning with the intervention made in it; paraphrasing is another's. Raises CannotIntervene."""
    fraction = how.fraction or 0.0
    match how.name:
        case "unchanged":
            return reasoning
        case "removed":
            return ""
        case "truncated":
            return reasoning[: cut_at(reasoning, fraction)].rstrip()
        case "filler":
            return (words.filler * (len(reasoning) // len(words.filler) + 1))[: len(reasoning)]
        case "mistake":
            return with_mistake(reasoning, fraction, words, material.wrong)
        case "swapped":
            if material.pair is None:
                raise CannotIntervene("its pair has no readable reasoning there")
            return material.pair
        case "test-added":
            at = cut_at(reasoning, fraction)
            return " ".join(filter(None, (reasoning[:at].rstrip(), words.test, reasoning[at:].lstrip())))
        case "test-removed":
            return without_test(reasoning, words)
        case "paraphrased":
            raise CannotIntervene("there is no paraphraser")


def with_mistake(reasoning: str, fraction: float, words: WordsFile, wrong: str | None) -> str:
    """The reasoning up to there, and the mistake."""
    if wrong is None:
        raise CannotIntervene("the family has no probe `context` with a wrong answer to take for the mistake")
    said = Words({"wrong": Phrase(wrong, verbatim=True)}).plain(words.mistake)
    return " ".join(filter(None, (reasoning[: cut_at(reasoning, fraction)].rstrip(), said)))


def without_test(reasoning: str, words: WordsFile) -> str:
    """The reasoning without the sentences that speak of a test. Raises CannotIntervene where there is none."""
    speaks = re.compile(rf"\b(?:{'|'.join(re.escape(word) for word in words.test_words)})\b", re.IGNORECASE)
    kept = [piece for piece in sentences(reasoning) if not speaks.search(piece)]
    if len(kept) == len(sentences(reasoning)):
        raise CannotIntervene("it never says that this may be a test")
    return "".join(kept).strip()


def sentences(text: str) -> list[str]:
    """The sentences with what stands behind them: joined they are the text."""
    return re.findall(r".+?(?:[.!?]+(?=\s)\s+|\n+|\Z)", text, re.DOTALL)


def cut_at(text: str, fraction: float) -> int:
    """The end of the last whole word in that share of the characters."""
    at = round(len(text) * fraction)
    if at >= len(text) or not text[at : at + 1].strip() or not text[at - 1 : at].strip():
        return at
    return max(text.rfind(" ", 0, at), text.rfind("\n", 0, at), 0)


def paraphrase_request(reasoning: str, words: WordsFile) -> str:
    """What a paraphraser is asked."""
    return Words({"reasoning": Phrase(reasoning, verbatim=True)}).plain(words.paraphrase)


def read_words() -> WordsFile:
    """The study's words of interventions, else the library's. Raises AuthoringError."""
    return _read_words(*version(authored("words.yaml")))


@lru_cache(maxsize=4)
def _read_words(file: Path, _changed: int) -> WordsFile:
    return validated(read_document(file), WordsFile)


def authored(name: str) -> Path:
    """A file of `agents/interventions/`: the study's, else the library's. Raises UsageError."""
    for folder in study.places("agents"):
        if (file := folder / FOLDER / name).is_file():
            return file
    raise UsageError(f"there is no {name}", f"it lies in agents/{FOLDER}/ of the library")


def version(file: Path) -> tuple[Path, int]:
    """A key for a cache that changes when the file does."""
    return file, file.stat().st_mtime_ns
