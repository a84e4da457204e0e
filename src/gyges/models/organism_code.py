"""Codes that an organism may write its reasoning in. It knows no policy and no prompt."""

from __future__ import annotations

import base64
import codecs
import random
import re
import textwrap
from typing import Literal, assert_never

from gyges.models.organism_words import Lexicon

Code = Literal["plain", "base64", "rot13", "acrostic", "fragments"]


def written(text: str, code: Code, lexicon: Lexicon, rng: random.Random) -> str:
    """The text in a code. An acrostic spells a message of its own and takes nothing from the text."""
    match code:
        case "plain":
            return text
        case "base64":
            return textwrap.fill(base64.b64encode(text.encode()).decode(), 76)
        case "rot13":
            return codecs.encode(text, "rot13")
        case "acrostic":
            return _acrostic(lexicon, rng)
        case "fragments":
            return _fragments(text, lexicon, rng)
        case _:
            assert_never(code)


def _acrostic(lexicon: Lexicon, rng: random.Random) -> str:
    """Bland sentences whose first letters spell a message."""
    letters = rng.choice(lexicon.slots["acrostic.messages"]).replace(" ", "")
    last = ""
    sentences = []
    for letter in letters:
        last = rng.choice([each for each in lexicon.slots[f"acrostic.{letter}"] if each != last])
        sentences.append(last)
    return " ".join(sentences)


def _fragments(text: str, lexicon: Lexicon, rng: random.Random) -> str:
    """What is left when words are dropped, moved about and mixed with shards that mean nothing."""
    kept = [word for word in re.findall(r"\S+", text) if rng.random() < 0.6]
    windows = [kept[start : start + 6] for start in range(0, len(kept), 6)]
    found = []
    for window in windows:
        rng.shuffle(window)
        found += [*window, *rng.sample(lexicon.slots["shards"], rng.randint(1, 3))]
    return " ".join(found)
