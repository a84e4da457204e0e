"""A sentence encoder that has been adapted, run with numpy: every piece of a word of a text as a vector.

The architecture is BERT's (Devlin et al. 2019), the encoder MiniLM (Wang et al. 2020), the adaptation of its upper
layers low-rank (Hu et al. 2022); both are merged when they are loaded. It knows no file and no label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float32, intp
    from numpy.typing import NDArray

    Numbers = NDArray[float32]
    Ids = NDArray[intp]

HEADS = 12
LAYERS = 6
WIDTH = 384
AT_ONCE = 254
"""Pieces of words that are read together; a longer text is cut into stretches of one length."""
FIRST, LAST = 101, 102
"""What stands before and after every stretch."""
TINY = 1e-12
"""Added to a variance before it divides."""

Offsets = Sequence[tuple[int, int]]
"""Where each piece of a word begins and ends in its text."""
Cut = Callable[[str], tuple[Sequence[int], Offsets]]
"""A text's pieces of words, by their numbers in the vocabulary, and where they stand."""


@dataclass(frozen=True, slots=True)
class Dense:
    """A linear map: `weights` are (to, from)."""

    weights: Numbers
    offset: Numbers

    def __call__(self, given: Numbers) -> Numbers:
        return given @ self.weights.T + self.offset


@dataclass(frozen=True, slots=True)
class Norm:
    """Each vector with mean 0 and variance 1, then scaled."""

    scale: Numbers
    offset: Numbers

    def __call__(self, given: Numbers) -> Numbers:
        centred: Numbers = given - given.mean(axis=-1, keepdims=True)
        spread: Numbers = (centred * centred).mean(axis=-1, keepdims=True) + TINY
        return centred / spread**0.5 * self.scale + self.offset


@dataclass(frozen=True, slots=True)
class Layer:
    """Attention, and what is made of it, each added to what came in."""

    query: Dense
    key: Dense
    value: Dense
    out: Dense
    attended: Norm
    wider: Dense
    back: Dense
    done: Norm

    def __call__(self, given: Numbers) -> Numbers:
        query, key, value = (_by_head(one(given)) for one in (self.query, self.key, self.value))
        weights = softmax(query @ key.transpose(0, 2, 1) / (WIDTH // HEADS) ** 0.5, axis=-1)
        seen: Numbers = (weights @ value).transpose(1, 0, 2).reshape(given.shape)
        attended = self.attended(given + self.out(seen))
        return self.done(attended + self.back(_gelu(self.wider(attended))))


@dataclass(frozen=True, slots=True)
class Encoder:
    """The encoder, adapted, and the vocabulary that it reads by."""

    cut: Cut
    words: Numbers
    """(vocabulary, WIDTH)"""
    places: Numbers
    """(at least AT_ONCE + 2, WIDTH), what every text has added to it included."""
    norm: Norm
    layers: tuple[Layer, ...]

    def read(self, text: str) -> tuple[Numbers, Offsets]:
        """A vector for each piece of a word, (pieces, WIDTH), and where it stands in the text."""
        import numpy as np

        ids, offsets = self.cut(text)
        if not ids:
            return np.zeros((0, WIDTH), dtype=np.float32), ()
        size = ceil(len(ids) / ceil(len(ids) / AT_ONCE))
        stretches = [self.stretch(ids[at : at + size])[1:-1] for at in range(0, len(ids), size)]
        return np.concatenate(stretches), offsets

    def stretch(self, ids: Sequence[int]) -> Numbers:
        """A vector for each of at most AT_ONCE, and for what stands before and after them: (pieces + 2, WIDTH)."""
        import numpy as np

        all_ids = np.array([FIRST, *ids, LAST])
        states = self.norm(self.words[all_ids] + self.places[: len(all_ids)])
        for layer in self.layers:
            states = layer(states)
        return states


def built(numbers: Mapping[str, Numbers], adapted: Mapping[str, tuple[Numbers, Numbers]], cut: Cut) -> Encoder:
    """From the encoder's numbers, by the names that they are published under, and what is to be added to some.

    An adaptation is two narrow matrices, (to, rank) and (rank, from), whose product is added to the weights.
    """

    def dense(name: str) -> Dense:
        weights = numbers[f"{name}.weight"]
        if name in adapted:
            to, back = adapted[name]
            weights = weights + to @ back
        return Dense(weights, numbers[f"{name}.bias"])

    def norm(name: str) -> Norm:
        return Norm(numbers[f"{name}.weight"], numbers[f"{name}.bias"])

    def layer(at: int) -> Layer:
        under = f"encoder.layer.{at}"
        return Layer(
            dense(f"{under}.attention.self.query"),
            dense(f"{under}.attention.self.key"),
            dense(f"{under}.attention.self.value"),
            dense(f"{under}.attention.output.dense"),
            norm(f"{under}.attention.output.LayerNorm"),
            dense(f"{under}.intermediate.dense"),
            dense(f"{under}.output.dense"),
            norm(f"{under}.output.LayerNorm"),
        )

    places = numbers["embeddings.position_embeddings.weight"]
    every = numbers["embeddings.token_type_embeddings.weight"][0]
    return Encoder(
        cut,
        numbers["embeddings.word_embeddings.weight"],
        places + every,
        norm("embeddings.LayerNorm"),
        tuple(layer(at) for at in range(LAYERS)),
    )


def softmax(given: Numbers, axis: int) -> Numbers:
    """Shares that sum to 1 along an axis."""
    import numpy as np

    raised: Numbers = np.exp(given - given.max(axis=axis, keepdims=True))
    shares: Numbers = raised / raised.sum(axis=axis, keepdims=True)
    return shares


def _by_head(given: Numbers) -> Numbers:
    """(pieces, WIDTH) as (heads, pieces, WIDTH / heads)."""
    split: Numbers = given.reshape(len(given), HEADS, WIDTH // HEADS).transpose(1, 0, 2)
    return split


def _gelu(given: Numbers) -> Numbers:
    """The Gaussian error linear unit (Hendrycks and Gimpel 2016)."""
    import numpy as np
    from scipy.special import erf

    made: Numbers = np.multiply(given, 1 + erf(given / 2**0.5), dtype=given.dtype) / 2
    return made
