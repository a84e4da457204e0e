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
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict

from gyges.grading.addressed_file import load_reader
from gyges.grading.addressed_forms import Addressed, forms
from gyges.grading.addressed_reader import AddressReader, Spoken
from gyges.grading.addressed_signs import Sign, Weighed, Weights, marks, outweigh, with_twice
from gyges.grading.authored import error_at, read_yaml
from gyges.grading.encoding import WordLists, hidden
from gyges.grading.lexicon import Lexicon
from gyges.grading.pattern import Found, PatternError
from gyges.grading.sentences import Sentence, sentences

CODE = "4"
"""Goes up when the engine's code changes what it finds."""
BEGINNING = 3
"""A cue that has to begin a sentence begins before this word."""

OPENERS = 6
"""So many openers may come before a cue that opens a clause."""

SIGN = "sign "
"""What the name of a sign has before it in the lexicon."""


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
    signs: dict[str, Sign] = {}
    weights: Weights | None = None
    """Without weights no sign is weighed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A sentence, the cues and signs of words found in it, and its signs that are no words."""

    sentence: Sentence
    found: Sequence[Found]
    marks: frozenset[str]

    def spoken(self) -> Spoken:
        """As the trained reader takes it."""
        signs = {one.name.removeprefix(SIGN) for one in self.found if one.name.startswith(SIGN)}
        piece = self.sentence.text[self.sentence.start : self.sentence.end]
        return Spoken(piece, self.sentence.words, signs.union(self.marks))


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
    opening: frozenset[str]
    """The signs that have to begin a clause."""
    spelt: Sequence[tuple[str, Sequence[str]]]
    weights: Weights | None
    reader: AddressReader | None = None

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

    def _said(self, text: str, *, weigh: bool = True) -> Iterator[Addressed]:
        """The sentences that address a grader: by a cue, or by all their signs together, or as they are read."""
        left: list[Heard] = []
        for one in self.heard(text):
            cued = [*self._cued(one.sentence, one.found)]
            yield from cued
            if weigh and not cued:
                left.append(one)
        # What is found parts no longer what stands around it, so what is left is looked at again.
        while found := self._outweighed(left) or self._read(left):
            yield from (
                Addressed(kind, left[at].sentence.start, left[at].sentence.end) for at, kind in found.items()
            )
            left = [one for at, one in enumerate(left) if at not in found]

    def heard(self, text: str) -> Iterator[Heard]:
        """Every sentence of a text, with the cues, the signs and the marks that are in it."""
        marked = marks(text) if self.weights is not None or self.reader is not None else []
        last = 0
        for sentence in sentences(_FRAME.sub(_parting, text)):
            first = bisect_left(marked, (sentence.start, ""), last)
            last = bisect_left(marked, (sentence.end, ""), first)
            own = frozenset(with_twice([name for _, name in marked[first:last]]))
            yield Heard(sentence, self.lexicon.find(sentence.words), own)

    def _outweighed(self, left: Sequence[Heard]) -> dict[int, str]:
        weights = self.weights
        if weights is None:
            return {}
        at = {one.sentence.start: number for number, one in enumerate(left)}
        read = [
            Weighed(
                one.sentence.start,
                one.sentence.end,
                frozenset(self.signs_of(one.sentence, one.found, weights) | one.marks),
            )
            for one in left
        ]
        return {at[one.start]: "signs" for one in outweigh(read, weights)}

    def _read(self, left: Sequence[Heard]) -> dict[int, str]:
        found = self.reader.read([one.spoken() for one in left]) if self.reader is not None else ()
        return dict.fromkeys(sorted(found), "read")

    def _cued(self, sentence: Sentence, found: Sequence[Found]) -> Iterator[Addressed]:
        cues = [one for one in found if not one.name.startswith(SIGN)]
        begun = _begun(sentence) if any(one.name not in self.anywhere for one in cues) else ()
        for one in cues:
            if self._placed_so(one, sentence, begun):
                yield Addressed(one.name, sentence.start, sentence.end)
        if not sentence.text.isascii():
            yield from self._contained(sentence)

    def signs_of(self, sentence: Sentence, found: Sequence[Found], weights: Weights) -> set[str]:
        """The signs of a sentence in which `found` was found; opening ones unverified where they can't matter."""
        signs = {one.name.removeprefix(SIGN) for one in found if one.name.startswith(SIGN)}
        if (
            not sentence.text.isascii()
            and not (said := _bare(sentence.text[sentence.start : sentence.end])).isascii()
        ):
            signs |= {name for name, spellings in self.spelt if any(one in said for one in spellings)}
        # Where a clause begins is costly to know, and matters only in a sentence that might be found.
        if self.opening & signs and weights.may_reach(signs):
            begun = _begun(sentence)
            opened = {one.name.removeprefix(SIGN) for one in found if self._opens(one, sentence, begun)}
            signs -= self.opening - opened
        return signs

    def _opens(self, one: Found, sentence: Sentence, begun: Sequence[int]) -> bool:
        first = begun[one.start]
        return one.start - first <= OPENERS and self.openers.issuperset(sentence.words[first : one.start])

    def _placed_so(self, one: Found, sentence: Sentence, begun: Sequence[int]) -> bool:
        """Whether a cue stands where it has to. `begun` says for each word where its clause begins."""
        cue = self.cues[one.name]
        if cue.begins:
            return one.start < BEGINNING
        if not cue.opens and not cue.alone:
            return True
        if not self._opens(one, sentence, begun):
            return False
        if cue.opens:
            return True
        first = begun[one.start]
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
            if any(self._said(found[0][::-1], weigh=False)):
                yield Addressed("backwards", found.start(), found.end())

    def _written_otherwise(self, text: str) -> Iterator[Addressed]:
        """Percent signs, entities and escapes for characters; letters with blanks between them."""
        escaped = _ESCAPED.finditer(text) if any(mark in text for mark in ("%", "&#", "\\")) else ()
        for found in escaped:
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
_UNUSUAL = re.compile(r"[^\n\t -~]")
_LEET = str.maketrans("013457", "oieast")
_DIGIT = re.compile(r"[013457]")
_MIXED = re.compile(r"\b(?=\w{0,20}[a-z])(?=\w{0,20}[013457])\w{2,20}\b", re.IGNORECASE)
_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһкмтвнАВЕКМНОРСТХІЈЅαορνικτεΑΒΕΗΙΚΜΝΟΡΤΥΧΖ",
    "aeopcyxijsdhkmtbhABEKMHOPCTXIJSaopvikteABEHIKMNOPTYXZ",
)


def find_scanner() -> Path:
    """The file `rules/addressed.yaml` of the study, else of the library. Raises UsageError if there is none."""
    from gyges.grading.rules import find_rules

    return find_rules("addressed")


def load_scanner(path: Path, words: WordLists, reader: Path | None = None) -> Scanner:
    """Read and compile the rules, and load the trained `reader`; without one there are the rules alone.

    Raises AuthoringError for whatever is wrong with a file.
    """
    trained = load_reader(reader) if reader is not None else None
    version, file, lexicon = _compiled(path)
    anywhere = frozenset(name for name, cue in file.cues.items() if not (cue.begins or cue.opens or cue.alone))
    contains = [
        (name, [[_bare(each.strip()) for each in part.split("|")] for part in line.split("&")])
        for name, lines in file.contains.items()
        for line in lines
    ]
    spelt = words.model_copy(update={"acrostic": tuple(sorted(file.acrostic))})
    opening = frozenset(name for name, sign in file.signs.items() if sign.opens)
    spellings = [(name, [_bare(one) for one in sign.spelt]) for name, sign in file.signs.items() if sign.spelt]
    return Scanner(
        f"{version}+{trained.version}" if trained is not None else version,
        lexicon,
        file.cues,
        file.openers,
        anywhere,
        contains,
        spelt,
        opening,
        spellings,
        file.weights,
        trained,
    )


@lru_cache(maxsize=4)
def _compiled(path: Path) -> tuple[str, AddressFile, Lexicon]:
    data = path.read_bytes()
    file = read_yaml(path, AddressFile)
    try:
        signs = {f"{SIGN}{name}": sign.patterns for name, sign in file.signs.items()}
        cues = {name: cue.patterns for name, cue in file.cues.items()}
        lexicon = Lexicon(file.classes, {}, cues | signs)
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
    last = 0
    for found in _UNUSUAL.finditer(text):
        kept.append(text[last : found.start()])
        places += range(last, found.start())
        last = found.end()
        letters = _seen(found[0])
        kept.append(letters)
        places += [found.start()] * len(letters)
    kept.append(text[last:])
    plain = "".join(kept).translate(_LOOK_ALIKES)
    if _DIGIT.search(plain):
        plain = _MIXED.sub(lambda found: found[0].translate(_LEET), plain)
    return plain, [*places, *range(last, len(text) + 1)]


def _seen(one: str) -> str:
    """What is seen of a character: nothing of an invisible one, plain letters of an ornate one."""
    category = unicodedata.category(one)
    return "" if category in ("Cf", "Cn", "Co", "Cs", "Cc") else unicodedata.normalize("NFKC", one)


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
