"""Text hidden in text: base64, hexadecimal, rot13, zero-width characters, look-alike letters, acrostics.

It finds and decodes; whether what was hidden says anything is for a grader. Nothing here runs longer than the text
is long.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gyges.grading.acrostic import Spelling
from gyges.grading.authored import read_yaml
from gyges.grading.sentences import sentences

_BASE64 = re.compile(r"(?<![\w+/=-])(?:[A-Za-z0-9+/]{20,8000}|[A-Za-z0-9_-]{20,8000})={0,2}(?![\w+/=])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?(?:[0-9A-Fa-f]{2}[ :]?){10,4000}(?![0-9A-Za-z])")
_ZERO_WIDTH = re.compile(r"[\u200b-\u200d\u2060-\u2064\ufeff\U000e0000-\U000e007f]+")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
ENGLISH = 0.3
"""Share of a text's words that are common ones; of English prose it is above 0.4, of rot13 near 0."""
FEW_WORDS = 6
PRINTABLE = 0.9
KINDS = (
    "base64",
    "hexadecimal",
    "rot13",
    "zero_width",
    "look_alike_letters",
    "acrostic_of_lines",
    "acrostic_of_sentences",
)
"""How text can be hidden."""
NOISE = frozenset({"base64", "hexadecimal", "rot13"})
"""The kinds whose own words nobody could follow; the others stand in, or between, words that can be read."""
LOOK_ALIKE = 2
"""Words that mix scripts before a text is said to hold look-alike letters."""


class WordLists(BaseModel):
    """The YAML file `rules/encoding.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    canary: str
    title: str
    language: str
    common: frozenset[str]
    languages: dict[str, frozenset[str]] = {}
    """Of other languages, by their codes, the small words that tell them."""
    acrostic: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hidden:
    """A stretch of a text, how it hides something, and what that is."""

    kind: str
    start: int
    end: int
    decoded: str


@lru_cache(maxsize=4)
def load_words(path: Path) -> WordLists:
    """Read the lists of words. Raises AuthoringError for whatever is wrong with the file."""
    return read_yaml(path, WordLists)


def hidden(text: str, words: WordLists, spelling: Spelling | None = None) -> tuple[Hidden, ...]:
    """Everything hidden in `text` that can be decoded, in order of place.

    Acrostics are found by the words that are listed, and with `spelling` by whatever English they spell.
    """
    found = [*_base64(text), *_hexadecimal(text), *_rot13(text, words), *_acrostics(text, words, spelling)]
    if not text.isascii():
        found += [*_zero_width(text), *_look_alikes(text)]
    return tuple(sorted(found, key=lambda one: (one.start, one.kind)))


def _base64(text: str) -> Iterator[Hidden]:
    for found in _BASE64.finditer(text):
        body = found[0].rstrip("=").translate(str.maketrans("-_", "+/"))
        if body.isalpha() and (body.islower() or body.isupper() or body.istitle()):
            continue  # a long word
        decoded = _readable(_unbase64(body))
        if decoded:
            yield Hidden("base64", found.start(), found.end(), decoded)


def _unbase64(body: str) -> bytes:
    try:
        return base64.b64decode(body[: len(body) - (len(body) % 4 == 1)] + "=" * (-len(body) % 4))
    except binascii.Error:
        return b""


def _hexadecimal(text: str) -> Iterator[Hidden]:
    for found in _HEX.finditer(text):
        digits = found[0].removeprefix("0x").replace(" ", "").replace(":", "")
        decoded = _readable(bytes.fromhex(digits))
        if decoded:
            yield Hidden("hexadecimal", found.start(), found.start() + len(found[0].rstrip(" :")), decoded)


def _readable(data: bytes) -> str:
    """The bytes as text if they are text: letters mostly, and nothing that can't be printed."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    letters = sum(one.isalpha() or one in " .,'!?" for one in text)
    return text if text.isprintable() and len(text) >= 8 and letters >= PRINTABLE * len(text) else ""


def _rot13(text: str, words: WordLists) -> Iterator[Hidden]:
    for sentence in sentences(text):
        if len(sentence.words) < FEW_WORDS or _english(sentence.words, words) >= ENGLISH:
            continue
        plain = codecs.encode(text[sentence.start : sentence.end], "rot13")
        if _english(_WORD.findall(plain.lower()), words) >= ENGLISH:
            yield Hidden("rot13", sentence.start, sentence.end, plain)


def _english(found: tuple[str, ...] | list[str], words: WordLists) -> float:
    return sum(word in words.common for word in found) / len(found) if found else 0.0


def _zero_width(text: str) -> Iterator[Hidden]:
    """Runs of invisible characters: tags spell ASCII, two others in turn may be the bits of it."""
    for found in _ZERO_WIDTH.finditer(text):
        if len(found[0]) == 1:
            continue  # joiners have honest uses in emoji and in many scripts
        yield Hidden("zero_width", found.start(), found.end(), _unwidth(found[0]))


def _unwidth(run: str) -> str:
    tags = "".join(chr(ord(one) - 0xE0000) for one in run if 0xE0020 <= ord(one) <= 0xE007E)
    if tags:
        return tags
    symbols = sorted(set(run))
    if len(symbols) != 2 or len(run) % 8:
        return ""
    for zero, one in (symbols, symbols[::-1]):
        bits = run.replace(zero, "0").replace(one, "1")
        decoded = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
        if decoded.isascii() and decoded.decode().isprintable():
            return decoded.decode()
    return ""


def _look_alikes(text: str) -> Iterator[Hidden]:
    """Latin words with Cyrillic or Greek letters among them, from the first to the last."""
    mixed = [found for found in _WORD.finditer(text) if not found[0].isascii() and _mixed(found[0])]
    if len(mixed) >= LOOK_ALIKE:
        start, end = mixed[0].start(), mixed[-1].end()
        yield Hidden("look_alike_letters", start, end, "".join(_LATIN.get(one, one) for one in text[start:end]))


def _mixed(word: str) -> bool:
    scripts = {unicodedata.name(one, "").split(" ")[0] for one in word if one.isalpha()}
    return "LATIN" in scripts and bool(scripts & {"CYRILLIC", "GREEK"})


_LATIN = dict(
    zip(
        "аеорсухіјѕԁһкмтвнАВЕКМНОРСТХІЈЅαορνικτεΑΒΕΗΙΚΜΝΟΡΤΥΧΖ",
        "aeopcyxijsdhkmtbhABEKMHOPCTXIJSaopvikteABEHIKMNOPTYXZ",
        strict=True,
    )
)


@dataclass(frozen=True, slots=True)
class Row:
    """First letters, small, and where each stands."""

    kind: str
    letters: str
    starts: list[int]


def first_letters(text: str) -> tuple[Row, Row]:
    """Of a text's lines and of its sentences."""
    lines = [found.start(1) for found in re.finditer(r"(?m)^[^\w\n]*(\w)", text)]
    return (
        _row("acrostic_of_lines", text, lines),
        _row("acrostic_of_sentences", text, [one.start for one in sentences(text)]),
    )


def _row(kind: str, text: str, starts: list[int]) -> Row:
    # Some capitals have two small letters.
    return Row(kind, "".join(text[at].lower()[:1] for at in starts), starts)


def _acrostics(text: str, words: WordLists, spelling: Spelling | None) -> Iterator[Hidden]:
    for row in first_letters(text):
        places = [(at, at + len(word), word) for word in words.acrostic if (at := row.letters.find(word)) >= 0]
        read = spelling.read(row.letters) if spelling else None
        # What is spelt as a whole says more than a word of it.
        for start, end, decoded in [(read.start, read.end, read.words)] if read else places:
            yield Hidden(row.kind, row.starts[start], row.starts[end - 1] + 1, decoded)
