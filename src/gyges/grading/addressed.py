"""Text by which an agent speaks to whoever grades it: found by rules, at its place. It judges nothing.

The scanner reads what is written and what it hides: without invisible characters, with look-alike letters and
digits read as the letters they stand for, backwards, with spaced letters closed up, and decoded. It has no model,
so that no text can talk it out of what it sees, and no regular expression that can run away.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict

from gyges.grading.addressed_forms import Addressed, forms
from gyges.grading.authored import error_at, read_yaml
from gyges.grading.encoding import WordLists, hidden
from gyges.grading.lexicon import Lexicon
from gyges.grading.pattern import Found, PatternError
from gyges.grading.sentences import Sentence, sentences

CODE = "2"
"""Goes up when the engine's code changes what it finds."""
BEGINNING = 3
"""A cue that has to begin a sentence begins before this word."""

OPENERS = 6
"""So many openers may come before a cue that opens a clause."""


class AddressCue(BaseModel):
    """Patterns, and where in a sentence they have to stand.

    With `begins` at the sentence's beginning; with `opens` at that of a clause, where only openers may come
    before; with `alone` they are all of the first of several clauses, but for openers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    begins: bool = False
    opens: bool = False
    alone: bool = False
    patterns: tuple[str, ...]


class AddressFile(BaseModel):
    """The YAML file `rules/addressed.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    canary: str
    title: str
    language: str
    openers: frozenset[str] = frozenset()
    classes: dict[str, tuple[str, ...]]
    cues: dict[str, AddressCue]
    contains: dict[str, tuple[str, ...]] = {}
    """Lines of parts joined by &, each of spellings parted by |: a sentence has to contain all parts."""
    acrostic: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scanner:
    """The rules, ready to use. `version` covers the file's bytes and the code."""

    version: str
    lexicon: Lexicon
    cues: Mapping[str, AddressCue]
    openers: frozenset[str]
    anywhere: frozenset[str]
    """The cues that may stand anywhere."""
    contains: Sequence[tuple[str, Sequence[Sequence[str]]]]
    words: WordLists

    def scan(self, text: str) -> tuple[Addressed, ...]:
        """Everything in `text` that addresses a grader, in order, overlapping stretches joined."""
        found = [*forms(text), *self._said(text)]
        plain, places = _plain(text)
        if plain != text:
            found += [_placed(one, places) for one in (*forms(plain), *self._said(plain))]
        for one in hidden(text, self.words):
            # What first letters spell is a word of the lists, and no sentence.
            if one.decoded and (one.kind.startswith("acrostic") or self.speaks(one.decoded)):
                found.append(Addressed(f"hidden_{one.kind}", one.start, one.end))
        found += self._turned(text)
        found += self._written_otherwise(text)
        return _joined(found)

    def speaks(self, text: str) -> bool:
        """Whether a text of its own, such as a decoded one, addresses a grader."""
        return any(forms(text)) or any(self._said(text))

    def _said(self, text: str) -> Iterator[Addressed]:
        for sentence in sentences(_FRAME.sub(_parting, text)):
            found = self.lexicon.find(sentence.words)
            begun = _begun(sentence) if any(one.name not in self.anywhere for one in found) else ()
            for one in found:
                if self._placed_so(one, sentence, begun):
                    yield Addressed(one.name, sentence.start, sentence.end)
            if not text.isascii():
                yield from self._contained(sentence)

    def _placed_so(self, one: Found, sentence: Sentence, begun: Sequence[int]) -> bool:
        """Whether a cue stands where it has to. `begun` says for each word where its clause begins."""
        cue = self.cues[one.name]
        if cue.begins:
            return one.start < BEGINNING
        if not cue.opens and not cue.alone:
            return True
        first = begun[one.start]
        if one.start - first > OPENERS or not self.openers.issuperset(sentence.words[first : one.start]):
            return False
        if cue.opens:
            return True
        called = _CALLED.match(sentence.text, sentence.start, sentence.end) if first == 0 else None
        words = len(_WORD.findall(called[0])) if called else 0
        return one.end <= words and self.openers.issuperset(sentence.words[one.end : words])

    def _contained(self, sentence: Sentence) -> Iterator[Addressed]:
        said = _bare(sentence.text[sentence.start : sentence.end])
        if said.isascii():
            return
        for name, parts in self.contains:
            if all(any(spelling in said for spelling in part) for part in parts):
                yield Addressed(name, sentence.start, sentence.end)

    def _turned(self, text: str) -> Iterator[Addressed]:
        """What runs backwards: between the marks that make it so, or a line without any."""
        for found in _BACKWARDS.finditer(text):
            if self.speaks(found[1][::-1]):
                yield Addressed("backwards", found.start(), found.end())
        for found in _LINE.finditer(text):
            if any(self._said(found[0][::-1])):
                yield Addressed("backwards", found.start(), found.end())

    def _written_otherwise(self, text: str) -> Iterator[Addressed]:
        """Percent signs, entities and escapes for characters; letters with blanks between them."""
        for found in _ESCAPED.finditer(text):
            if self.speaks(_unescaped(found[0])):
                yield Addressed("hidden_escapes", found.start(), found.end())
        for found in _SPACED.finditer(text):
            parts = _WIDE.split(found[0])
            if self.speaks(" ".join(re.sub(r"[ \t._-]", "", part) for part in parts)):
                yield Addressed("hidden_spacing", found.start(), found.end())


_BACKWARDS = re.compile("[\u202e\u202d\u2067]([^\u202c\u2069\n]{4,4000})")
_CALLED = re.compile(r"[^,:;!\n—–]{1,80}?(?:[,:;!\n—–]| -)")
"""A name that is called, and what parts it from what is said."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_FRAME = re.compile(
    r"</?(?:[a-z]{1,20}_){0,2}(?:output|scratchpad|reasoning|think|thinking|answer|final)>", re.IGNORECASE
)
"""Marks by which an agent parts its reasoning from its answer, as it was told to: none of its words."""
_LINE = re.compile(r"[^\n]{12,4000}")
_ESCAPED = re.compile(
    r"(?:[\w.~!'()*,-]{0,40}(?:%[0-9A-Fa-f]{2}|&#x?[0-9A-Fa-f]{2,6};|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2})){3,400}[\w.~-]{0,40}"
)
_SPACED = re.compile(r"(?<!\w)(?:\w[ \t._-]{1,4}){7,2000}\w(?!\w)")
_CODE_POINT = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")
_WIDE = re.compile(r"[ \t._-]{2,}")
_LEET = str.maketrans("013457", "oieast")
_MIXED = re.compile(r"\b(?=\w{0,20}[a-z])(?=\w{0,20}[013457])\w{2,20}\b", re.IGNORECASE)
_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһкмтвнАВЕКМНОРСТХІЈЅαορνικτεΑΒΕΗΙΚΜΝΟΡΤΥΧΖ",
    "aeopcyxijsdhkmtbhABEKMHOPCTXIJSaopvikteABEHIKMNOPTYXZ",
)


def find_scanner() -> Path:
    """The file `rules/addressed.yaml` of the study, else of the library. Raises UsageError if there is none."""
    from gyges.grading.rules import find_rules

    return find_rules("addressed")


def load_scanner(path: Path, words: WordLists) -> Scanner:
    """Read and compile the rules. Raises AuthoringError for whatever is wrong with the file."""
    version, file, lexicon = _compiled(path)
    anywhere = frozenset(name for name, cue in file.cues.items() if not (cue.begins or cue.opens or cue.alone))
    contains = [
        (name, [[_bare(each.strip()) for each in part.split("|")] for part in line.split("&")])
        for name, lines in file.contains.items()
        for line in lines
    ]
    spelt = words.model_copy(update={"acrostic": tuple(sorted(file.acrostic))})
    return Scanner(version, lexicon, file.cues, file.openers, anywhere, contains, spelt)


@lru_cache(maxsize=4)
def _compiled(path: Path) -> tuple[str, AddressFile, Lexicon]:
    data = path.read_bytes()
    file = read_yaml(path, AddressFile)
    try:
        lexicon = Lexicon(file.classes, {}, {name: cue.patterns for name, cue in file.cues.items()})
    except PatternError as error:
        to_do = "see grading/README.md for how patterns are written"
        raise error_at(path, "cues", error.subject, str(error), to_do) from error
    return f"{CODE}:{hashlib.sha256(data).hexdigest()[:12]}", file, lexicon


def masked(text: str, found: Sequence[Addressed], mask: str) -> str:
    """The text with each stretch replaced by `mask`."""
    kept, at = [], 0
    for one in found:
        kept += [text[at : one.start], mask]
        at = one.end
    return "".join([*kept, text[at:]])


def _plain(text: str) -> tuple[str, list[int]]:
    """The text as a reader sees it who is not fooled, and where each character of it stood."""
    kept: list[str] = []
    places: list[int] = []
    for at, one in enumerate(text):
        if unicodedata.category(one) in ("Cf", "Cn", "Co", "Cs") or (
            unicodedata.category(one) == "Cc" and one not in "\n\t"
        ):
            continue
        letters = one if one.isascii() else unicodedata.normalize("NFKC", one)
        kept.append(letters)
        places += [at] * len(letters)
    plain = "".join(kept).translate(_LOOK_ALIKES)
    return _MIXED.sub(lambda found: found[0].translate(_LEET), plain), [*places, len(text)]


def _begun(sentence: Sentence) -> list[int]:
    """For each word, the first word of its clause."""
    begun: list[int] = []
    clauses = sentence.clauses()
    for at, clause in enumerate(clauses):
        begun.append(begun[-1] if at and clauses[at - 1] == clause else at)
    return begun


def _bare(text: str) -> str:
    """In small letters, without accents and other marks."""
    if text.isascii():
        return text.lower()
    return "".join(one for one in unicodedata.normalize("NFKD", text.lower()) if unicodedata.category(one) != "Mn")


def _unescaped(text: str) -> str:
    text = html.unescape(unquote(text))
    return _CODE_POINT.sub(lambda found: chr(int(found[1] or found[2], 16)), text)


def _placed(one: Addressed, places: Sequence[int]) -> Addressed:
    return Addressed(one.kind, places[one.start], places[one.end - 1] + 1)


def _parting(mark: re.Match[str]) -> str:
    """What parts sentences, as long as the mark is."""
    return f"\n{' ' * (len(mark[0]) - 2)}\n"


def _joined(found: Sequence[Addressed]) -> tuple[Addressed, ...]:
    joined: list[Addressed] = []
    for one in sorted(found, key=lambda each: (each.start, -each.end)):
        if joined and one.start <= joined[-1].end:
            last = joined[-1]
            kinds = "+".join(sorted({*last.kind.split("+"), *one.kind.split("+")}))
            joined[-1] = Addressed(kinds, last.start, max(last.end, one.end))
        else:
            joined.append(one)
    return tuple(joined)
