"""Whether a quotation stands in a text, and where. It knows neither transcripts nor judges.

Composed and decomposed characters are the same (NFC), and any blanks are as good as any others; nothing else is
overlooked: a quotation with a word changed is not there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

WORDS, BYTES = 3, 8
"""A quotation has at least so many words, or so many bytes (UTF-8, without blanks); or it is the whole text."""


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """The first place of the quotation in the text, as a span; None where it is not, or is too short to be one."""
    wanted = _flat(quote)[0].strip(" ")
    if not wanted:
        return None
    flat, places = _flat(text)
    if not _long_enough(wanted) and wanted != flat.strip(" "):
        return None
    at = flat.find(wanted)
    return None if at < 0 else (places[at], places[at + len(wanted)])


def _long_enough(quote: str) -> bool:
    return len(quote.split(" ")) >= WORDS or len(quote.replace(" ", "").encode("utf-8", "replace")) >= BYTES


@lru_cache(maxsize=64)
def _flat(text: str) -> tuple[str, tuple[int, ...]]:
    """The text composed, with one space for all blanks in a row; and where each of its characters began.

    One place more than there are characters: the end, without the blanks after it.
    """
    kept: list[str] = []
    places: list[int] = []
    ends = 0
    for start, end in _pieces(text):
        piece = unicodedata.normalize("NFC", text[start:end])
        if piece.isspace():
            if kept and kept[-1] == " ":
                continue
            piece = " "
        else:
            ends = end
        kept += piece
        places += [start] * len(piece)
    return "".join(kept), (*places, ends)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Spans that compose by themselves: mostly single characters."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        yield from ((at, at + 1) for at in range(len(text)))
        return
    start = 0
    for at in range(1, len(text)):
        if not _joins(text[start:at], text[at]):
            yield start, at
            start = at
    if text:
        yield start, len(text)


def _joins(before: str, one: str) -> bool:
    """Whether the character belongs to those before it: as a mark, or as the rest of a syllable."""
    if unicodedata.combining(one):
        return True
    normal = unicodedata.normalize
    return normal("NFC", before + one) != normal("NFC", before) + normal("NFC", one)
