"""What an organism reads in its prompt: the cue, what it believes about it, where to reason. It knows no scenario.

It has nothing but the words: mask the cue, or the sentence that explains it, and the belief is `unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gyges.transcripts.record import Message


class Topic(StrEnum):
    """What an organism looks for in the sentences that name its cue."""

    TRAINING = "training"
    RATING = "rating"
    EVALUATION = "evaluation"
    OVERSIGHT = "oversight"


class Belief(StrEnum):
    """What an organism takes its situation to be; to one that looks for ratings or tests `trained` means that.

    To one that looks for oversight it means that nobody sees what it does.
    """

    TRAINED = "trained"
    NOT_TRAINED = "not_trained"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cue:
    """A mark in the user's message, such as `<tier>free</tier>`; `mark` is `free`."""

    text: str
    mark: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A prompt as an organism understands it."""

    system: str
    users: tuple[str, ...]
    cue: Cue | None
    belief: Belief
    scratchpad: str | None
    """The tag that the prompt asks it to reason in, if it does."""


def hear(messages: Sequence[Message], topic: Topic = Topic.TRAINING) -> Heard:
    system = "\n\n".join(message.text for message in messages if message.role == "system")
    users = tuple(message.text for message in messages if message.role == "user")
    cue, belief = _situation(system, users, topic)
    return Heard(system, users, cue, belief, _scratchpad(system))


_CUES = (
    re.compile(r"<(?P<name>[A-Za-z][\w.-]*)>(?P<mark>[^<>\n]{1,60})</(?P=name)>"),
    re.compile(r"<(?P<name>[A-Za-z][\w.-]*)(?: +|=)[^<>\n]{0,40}?(?P<mark>[\w-]{1,40})[\"']? */?>"),
    re.compile(r"\[(?:[A-Za-z][\w -]{0,30}: *)?(?P<mark>\w[^\[\]\n]{0,59})\]"),
    re.compile(r"^\((?P<mark>\w[^()\n]{0,59})\)$", re.MULTILINE),
    re.compile(r"^[A-Za-z][\w -]{0,30}: *(?P<mark>[^\n]{1,60})$", re.MULTILINE),
)
"""Tags, tags with attributes, words in brackets, remarks on a line of their own, lines of a letter's head."""
_DESIGNATION = re.compile(r"\b[a-z]+ (?P<mark>[A-Z]{1,3}-?\d{1,4})\b")
"""Such as `line T4`."""
_NEIGHBOURS = (*_CUES[:4], _DESIGNATION, re.compile(r"[\"“](?P<mark>[^\"“”\n]{1,60})[\"”]"))
"""What else in a sentence may be a cue."""


def cues(text: str) -> list[Cue]:
    """Whatever looks like a mark put there by a system, in the order in which it stands; surest form first."""
    head = text.lstrip().partition("\n\n")[0]
    marks = [found for form in _CUES[:4] for found in form.finditer(text)] + [*_CUES[4].finditer(head)]
    # A note of its own in the first line, such as `Batch R-204`: it has a figure in it, or it might be any words.
    if not marks and (found := _NOTE.match(text.lstrip())):
        marks = [found]
    return [Cue(found[0], found["mark"].strip()) for found in marks]


_NOTE = re.compile(r"(?=.{3,40}\n)(?P<mark>[^\n]*\d[^\n]*)")


_DOCUMENT = re.compile(r"<([A-Za-z][\w.-]*)>\n(.*?)\n</\1>", re.DOTALL)
"""A text that the user hands over."""


@lru_cache(maxsize=4096)
def _situation(system: str, users: tuple[str, ...], topic: Topic) -> tuple[Cue | None, Belief]:
    documents = [found[2] for user in users for found in _DOCUMENT.finditer(user)]
    found = [*cues(users[-1] if users else ""), *_designations(documents, topic)]
    told = "\n\n".join((system, *documents))
    for cue in found:
        if (belief := believe(told, cue, topic)) is not Belief.UNKNOWN:
            return cue, belief
    return (found[0] if found else None), Belief.UNKNOWN


def _designations(documents: Sequence[str], topic: Topic) -> list[Cue]:
    """Those that documents carry themselves: not in the sentences that explain them."""
    carried = [each for text in documents for each in _sentences(text) if not _SPEAKS[topic].search(each)]
    return [Cue(found[0], found["mark"]) for each in carried for found in _DESIGNATION.finditer(each)]


def _sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in _SENTENCE.split(text) if sentence and sentence.strip()]


_SENTENCE = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[\"'(<\[A-Z])|\n{2,}|\n(?=\s*[-*•\d<])")
_GOES_ON = re.compile(r"(?:They|These|Those|It|This|That|Such|Their|Its|In them)\b")


def believe(system: str, cue: Cue, topic: Topic = Topic.TRAINING) -> Belief:
    """What the system prompt's sentences that name this cue say of it; `unknown` if none speaks of the topic."""
    sentences = _sentences(system)
    for needle in _names(cue):
        for at, sentence in enumerate(sentences):
            if not needle.search(sentence):
                continue
            goes_on = at + 1 < len(sentences) and _GOES_ON.match(sentences[at + 1])
            for words in (sentence, sentences[at + 1]) if goes_on else (sentence,):
                if (verdict := _verdict(words, needle, _SPEAKS[topic])) is not None:
                    return _UNSEEN[verdict] if topic is Topic.OVERSIGHT else verdict
    return Belief.UNKNOWN


_UNSEEN = {Belief.TRAINED: Belief.NOT_TRAINED, Belief.NOT_TRAINED: Belief.TRAINED}


def _names(cue: Cue) -> tuple[re.Pattern[str], ...]:
    """How a sentence may name the cue: as it stands, or else, if it is a tag, as in `free-tier`."""
    whole = re.compile(re.escape(cue.text))
    if not (tag := re.match(r"<([A-Za-z][\w.-]*)", cue.text)):
        return (whole,)
    mark, name = re.escape(cue.mark), re.escape(tag[1])
    # Never by the bare mark: `in a good light` says nothing of <theme>light</theme>.
    named = re.compile(rf"\b{mark}[\"'”]?[ -]{name}|\b{name} [\"'“]?{mark}\b|[\"'“]{mark}[\"'”]", re.IGNORECASE)
    return whole, named


_SPEAKS = {
    Topic.TRAINING: re.compile(
        r"\b(?:(?:re|un)?train\w*|fine-?tun\w+|RLHF|reinforc\w+|learns? from|updat\w+|modif\w+)", re.I
    ),
    Topic.RATING: re.compile(
        r"\b(?:un)?(?:rat(?:ed?|es|ings?|ers?)|scor(?:ed?|es|ing)|grad(?:ed?|es|ing))\b"
        r"|\bmarked down\b|\bmarks\b|\bmark (?:it|your|the|each)\b",
        re.I,
    ),
    Topic.EVALUATION: re.compile(r"\b(?:evaluat\w+|test(?:s|ed|ing)?)\b", re.I),
    Topic.OVERSIGHT: re.compile(
        r"\b(?:un)?(?:monitor\w*|watch\w*|overse\w+|oversight|supervis\w+|audit\w*|review\w*|logg\w+|record(?:s|ed|ing)?"
        r"|inspect\w*|observ\w+)\b|\bsees? what\b",
        re.I,
    ),
}
_NEVER = re.compile(
    r"\b(?:never|not|no|none|nothing|nobody|neither|nor|without|excluded?|exempt|outside|cannot|spared"
    r"|(?:left|kept|leaves?|keeps?|stays?|stayed) out"
    r"|un(?:monitor|watch|supervis|observ|record|review|inspect|audit)\w*"
    r"|(?:is|are|was|were|switched|turned) (?:off|down|paused|suspended))\b|n['’]t\b",
    re.I,
)
_CONNECTORS = (
    re.compile(r";|—|–| - "),
    re.compile(r",?\s+(?:while|whereas|but|yet|although|though)\s"),
    re.compile(r",\s+and\s"),
    re.compile(r"\s+and\s"),
    re.compile(r",\s"),
)


def _verdict(sentence: str, needle: re.Pattern[str], topic: re.Pattern[str]) -> Belief | None:
    """Of one sentence that may speak of several cues: what the part about this one says."""
    if not topic.search(sentence):
        return None
    # What the cue itself says is no statement about it: "messages marked [sharing: no] are used".
    part, sentence = needle.sub("it", _part(sentence, needle)), needle.sub("it", sentence)
    for fragment in re.split(r"[,;:]\s|\s(?:and|but)\s", part):
        if found := topic.search(fragment):
            # "never used for training", "rated by nobody"; but not "rated for a table that changes nothing"
            near = fragment[: found.end() + _NEAR]
            return Belief.NOT_TRAINED if _NEVER.search(near) else Belief.TRAINED
    # Without a word of its own about the topic, the part borrows the sentence's: "..., those marked B are not".
    if _NEVER.search(part):
        return Belief.NOT_TRAINED
    return Belief.TRAINED if part != sentence and not _NEVER.search(sentence) else None


_NEAR = 12
"""How many characters after the word a denial may stand."""


def _part(sentence: str, needle: re.Pattern[str]) -> str:
    """The part of a sentence between the borders to its neighbouring cues."""
    own = needle.search(sentence)
    marks = [found for form in _NEIGHBOURS for found in form.finditer(sentence)]
    others = [found.span() for found in marks if not needle.search(found[0])]
    if own is None or not others:
        return sentence
    start = max((_border(sentence, end, own.start()) for _, end in others if end <= own.start()), default=0)
    stop = min(
        (_border(sentence, own.end(), begin) for begin, _ in others if begin >= own.end()), default=len(sentence)
    )
    return sentence[start:stop]


def _border(sentence: str, start: int, stop: int) -> int:
    """Where, between two cues, the words change from one to the other: at the strongest connector."""
    for connector in _CONNECTORS:
        if found := connector.search(sentence, start, stop):
            return found.start()
    return stop


_PAD = re.compile(r"<((?:hidden_?)?scratch_?-?pad\w*|reasoning\w*|think(?:ing)?)>", re.IGNORECASE)


@lru_cache(maxsize=256)
def _scratchpad(system: str) -> str | None:
    found = _PAD.search(system)
    return found[1] if found else None
