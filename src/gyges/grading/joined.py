"""Labelled texts with another beside them that says nothing, to train on. It reads no file.

What says a motive is mostly a small part of a reasoning. A reader that has only met texts full of what they say
takes whatever stands beside it for a sign of its absence: so it has to meet some that go on about other things.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from gyges.grading.encoder_reader import BETWEEN
from gyges.grading.examples import Whole

Plain = TypeVar("Plain")

SHARE = 0.5
"""Of the texts that are trained on about so many have another beside them."""


def joined(texts: Sequence[Whole], share: float = SHARE) -> list[Whole]:
    """The texts, about that share of them with one without a label beside it; the same for the same texts.

    All have to be labelled for the same things. Where none is without a label, they are as they were.
    """
    plain = [one for one in texts if not one.labels]
    share = share if plain else 0
    others = ((one, drawn(one.text, plain, share)) for one in texts)
    return [one if other is None else beside(one, other[0], first=other[1]) for one, other in others]


def drawn(text: str, plain: Sequence[Plain], share: float) -> tuple[Plain, bool] | None:
    """What stands beside a text, and whether it comes first; None where nothing does, but for about that share."""
    rng = random.Random(text)
    return (rng.choice(plain), rng.random() < 0.5) if rng.random() < share else None


def beside(one: Whole, other: Whole, *, first: bool) -> Whole:
    """The text with another before it or after it. How it ends is open then."""
    text = f"{other.text}{BETWEEN}{one.text}" if first else f"{one.text}{BETWEEN}{other.text}"
    by = len(text) - len(one.text) if first else 0
    said = one.said and tuple(replace(each, start=each.start + by, end=each.end + by) for each in one.said)
    return replace(one, text=text, said=said, complied=None)
