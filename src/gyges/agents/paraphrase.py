"""A paraphrase by rule, for where no paraphraser is named: other words, the same sense. It knows no model.

It keeps what it can read as language. Whatever stands in a code is no language to it, and is left out, as a person
who says something in other words would leave it out. The words stand in `agents/interventions/paraphrase.yaml`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gyges.agents.intervene import authored, sentences, version
from gyges.scenarios.nodes import read_document
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.validate import validated


class ParaphraseFile(BaseModel):
    """`agents/interventions/paraphrase.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    canary: Phrase
    title: Phrase
    replace: Annotated[dict[Phrase, Phrase], Field(min_length=1)]
    """Other words for these, as whole words."""
    openers: Annotated[tuple[Phrase, ...], Field(min_length=1)]
    """Said before every other sentence, in turn."""
    common: Annotated[tuple[Phrase, ...], Field(min_length=1)]
    """Words of which every sentence has some."""


def by_rule(text: str, rules: ParaphraseFile) -> str:
    """The text in other words. "" where nothing in it can be read."""
    openers = cycle(rules.openers)
    said = []
    for at, sentence in enumerate(filter(lambda one: _is_language(one, rules), sentences(text))):
        words = _replaced(sentence.strip(), rules)
        said.append(f"{next(openers)} {words}" if at % 2 == 0 else words)
    return " ".join(said)


def _is_language(sentence: str, rules: ParaphraseFile) -> bool:
    """Whether at least one word in eight is a common one, and none is longer than words are."""
    words = re.findall(r"[^\W\d_][^\s\"“”<>]*", sentence.lower())
    common = set(map(str, rules.common))
    found = sum(word.strip(".,;:!?()'") in common for word in words)
    return bool(words) and 8 * found >= len(words) and max(map(len, words)) <= 30


def _replaced(sentence: str, rules: ParaphraseFile) -> str:
    # Quoted words are said as they stand: they may be what has to be answered.
    parts = re.split(r"(\"[^\"]*\"|“[^”]*”|<[^>]*>)", sentence)
    return "".join(
        part if at % 2 else _pattern(rules).sub(lambda found: _other(found, rules), part)
        for at, part in enumerate(parts)
    )


def _other(found: re.Match[str], rules: ParaphraseFile) -> str:
    words = next(str(new) for old, new in rules.replace.items() if old.lower() == found[0].lower())
    return words[:1].upper() + words[1:] if found[0][:1].isupper() and found[0] != "I" else words


def _pattern(rules: ParaphraseFile) -> re.Pattern[str]:
    return _compiled(tuple(map(str, rules.replace)))


@lru_cache(maxsize=4)
def _compiled(words: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<![\w'])(?:{'|'.join(map(re.escape, longest_first))})(?![\w'])", re.IGNORECASE)


def read_rules() -> ParaphraseFile:
    """The study's rules, else the library's. Raises AuthoringError."""
    return _read(*version(authored("paraphrase.yaml")))


@lru_cache(maxsize=4)
def _read(file: Path, _changed: int) -> ParaphraseFile:
    return validated(read_document(file), ParaphraseFile)
