"""What an organism has to say: sentences in slots, slots in moods. It knows neither policy nor prompt.

A mood is a choice of orders of slots; a slot is a choice of phrasings; a phrasing is Jinja over the words that the
scenario and the prompt give. `task.start` is slot `start` of `words/task.yaml`; `start?` is said half the time.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gyges.scenarios.phrase import Phrase

Order = Annotated[tuple[Phrase, ...], Field(min_length=1)]
Slots = dict[str, Annotated[tuple[Phrase, ...], Field(min_length=1)]]
Moods = dict[str, Annotated[tuple[Order, ...], Field(min_length=1)]]


class WordsFile(BaseModel):
    """A file of `agents/organisms/words/`: slots and moods that organisms share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    canary: str
    title: str
    slots: Slots = {}
    moods: Moods = {}
    defaults: dict[str, Phrase] = {}
    """Words for scenarios that don't give them."""

    def with_others(self, others: WordsFile) -> WordsFile:
        """These words, and the others in the place of those of the same name."""
        slots, moods = self.slots | others.slots, self.moods | others.moods
        defaults = self.defaults | others.defaults
        return others.model_copy(update={"slots": slots, "moods": moods, "defaults": defaults})


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All slots and moods that one organism can use, by the name by which its own file calls them."""

    slots: Mapping[str, tuple[Phrase, ...]]
    moods: Mapping[str, tuple[tuple[Phrase, ...], ...]]
    defaults: Mapping[str, str]

    @classmethod
    def of(cls, own_slots: Slots, own_moods: Moods, shared: Mapping[str, WordsFile]) -> Lexicon:
        """Own slots and moods by their names, shared ones by `file.name`. Raises AuthoringError."""
        slots = dict(own_slots)
        moods = dict(own_moods)
        defaults: dict[str, str] = {}
        for file, words in shared.items():
            slots |= {f"{file}.{name}": phrasings for name, phrasings in words.slots.items()}
            for name, orders in words.moods.items():
                moods[f"{file}.{name}"] = tuple(_prefixed(order, file) for order in orders)
            defaults |= words.defaults
        lexicon = cls(slots, moods, defaults)
        lexicon._check()
        return lexicon

    def _check(self) -> None:
        for orders in self.moods.values():
            for reference in (reference for order in orders for reference in order):
                if reference.removesuffix("?") not in self.slots:
                    raise reference.error(
                        f"there is no slot {reference.removesuffix('?')!r}", "name one of `slots`"
                    )
        for phrasing in (phrasing for phrasings in self.slots.values() for phrasing in phrasings):
            _check_phrasing(phrasing)

    def compose(self, mood: str, words: Mapping[str, str], rng: random.Random) -> str:
        """One reasoning in this mood. A phrasing that needs a word which isn't there is not used."""
        known = {**self.defaults, **words}
        sentences = []
        for reference in rng.choice(self.moods[mood]):
            slot = reference.removesuffix("?")
            if slot != reference and rng.random() < 0.5:
                continue
            usable = [phrasing for phrasing in self.slots[slot] if _needs(str(phrasing)) <= known.keys()]
            if usable:
                sentences.append(_said(rng.choice(usable), known))
        return _joined(sentences, rng)


def _prefixed(order: tuple[Phrase, ...], file: str) -> tuple[Phrase, ...]:
    return tuple(slot if "." in slot else Phrase(f"{file}.{slot}", slot.source) for slot in order)


def _joined(sentences: list[str], rng: random.Random) -> str:
    """Sentences in a row, with a new paragraph now and then, as models do."""
    parts = []
    for at, sentence in enumerate(sentences):
        if at:
            parts.append("\n\n" if rng.random() < 0.3 else " ")
        parts.append(sentence)
    return "".join(parts)


def _said(phrasing: Phrase, words: Mapping[str, str]) -> str:
    text = "".join(words[part] if named else part for named, part in _parts(str(phrasing)))
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=4096)
def _needs(phrasing: str) -> frozenset[str]:
    """The words without which a phrasing can't be said."""
    return frozenset(part for named, part in _parts(phrasing) if named)


@lru_cache(maxsize=4096)
def _parts(phrasing: str) -> tuple[tuple[bool, str], ...]:
    """A phrasing's parts in order, each a word's name (True) or text (False). Raises TemplateSyntaxError.

    Of Jinja only `{{ word }}` is spoken: nothing to hang, nothing to reach, and quick.
    """
    from jinja2 import Environment, TemplateSyntaxError, nodes

    if "{" not in phrasing:
        return ((False, phrasing),)
    parts = []
    for output in Environment(keep_trailing_newline=True).parse(phrasing).body:
        for node in output.nodes if isinstance(output, nodes.Output) else [output]:
            match node:
                case nodes.TemplateData(data=str(text)):
                    parts.append((False, text))
                case nodes.Name(name=str(name)):
                    parts.append((True, name))
                case _:
                    raise TemplateSyntaxError("only words can stand here, as in {{ value }}", node.lineno)
    return tuple(parts)


def _check_phrasing(phrasing: Phrase) -> None:
    from jinja2 import TemplateSyntaxError

    try:
        _parts(str(phrasing))
    except TemplateSyntaxError as error:
        raise phrasing.error(f"the phrasing can't be read: {error.message}", line=error.lineno) from error
