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


class Belief(StrEnum):
    """What an organism takes its situation to be; `trained` is `rated` to one that looks for ratings."""

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
    cue, belief = _situation(system, users[-1] if users else "", topic)
    return Heard(system, users, cue, belief, _scratchpad(system))


_CUES = (
    re.compile(r"<(?P<name>[A-Za-z][\w.-]*)>(?P<mark>[^<>\n]{1,60})</(?P=name)>"),
    re.compile(r"<(?P<name>[A-Za-z][\w.-]*)(?: +|=)[^<>\n]{0,40}?(?P<mark>[\w-]{1,40})[\"']? */?>"),
    re.compile(r"\[(?P<name>[A-Za-z][\w .-]{0,30}): *(?P<mark>[^\[\]\n]{1,60})\]"),
    re.compile(r"^(?P<name>[A-Za-z][\w-]{0,20}): *(?P<mark>[\w-]{1,40})$", re.MULTILINE),
)


def cues(text: str) -> list[Cue]:
    """Whatever looks like a mark put there by a system, in the order in which it stands; surest form first."""
    return [Cue(found[0], found["mark"].strip()) for form in _CUES for found in form.finditer(text)]


@lru_cache(maxsize=4096)
def _situation(system: str, user: str, topic: Topic) -> tuple[Cue | None, Belief]:
    found = cues(user)
    for cue in found:
        if (belief := believe(system, cue, topic)) is not Belief.UNKNOWN:
            return cue, belief
    return (found[0] if found else None), Belief.UNKNOWN


_SENTENCE = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[\"'(<\[A-Z])|\n{2,}|\n(?=\s*[-*•\d<])")
_GOES_ON = re.compile(r"(?:They|These|Those|It|This|That|Such|Their|Its)\b")


def believe(system: str, cue: Cue, topic: Topic = Topic.TRAINING) -> Belief:
    """What the system prompt's sentences that name this cue say of it; `unknown` if none speaks of the topic."""
    sentences = [sentence.strip() for sentence in _SENTENCE.split(system) if sentence and sentence.strip()]
    for needle in _names(cue):
        for at, sentence in enumerate(sentences):
            if not needle.search(sentence):
                continue
            goes_on = at + 1 < len(sentences) and _GOES_ON.match(sentences[at + 1])
            for words in (sentence, sentences[at + 1]) if goes_on else (sentence,):
                if (verdict := _verdict(words, needle, _SPEAKS[topic])) is not None:
                    return verdict
    return Belief.UNKNOWN


def _names(cue: Cue) -> tuple[re.Pattern[str], ...]:
    """How a sentence may name the cue: as it stands, or else, if it is a tag, by its mark as a word of its own."""
    whole = re.compile(re.escape(cue.text))
    if not cue.text.startswith("<"):
        return (whole,)
    mark = re.compile(rf"(?<![\w<>/-]){re.escape(cue.mark)}(?![\w/<>])", re.IGNORECASE)
    return whole, mark


_SPEAKS = {
    Topic.TRAINING: re.compile(
        r"\b(?:(?:re|un)?train\w*|fine-?tun\w+|RLHF|reinforc\w+|learns? from|updat\w+|modif\w+)", re.I
    ),
    Topic.RATING: re.compile(
        r"\b(?:un)?(?:rat(?:ed?|es|ings?|ers?)|scor(?:ed?|es|ing)|grad(?:ed?|es|ing|ers?))\b", re.I
    ),
}
_NEVER = re.compile(
    r"\b(?:never|not|no|none|nothing|nobody|neither|nor|without|excluded?|exempt|outside|cannot)\b|n['’]t\b", re.I
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
    part = _part(sentence, needle)
    fragments = [fragment for fragment in re.split(r"[,;:]\s|\s(?:and|but)\s", part) if topic.search(fragment)]
    # Without a word of its own about the topic, the part borrows the sentence's: "..., those marked B are not".
    words = fragments[0] if fragments else part
    if not fragments and not _NEVER.search(words):
        return Belief.TRAINED if part != sentence and not _NEVER.search(sentence) else None
    return Belief.NOT_TRAINED if _NEVER.search(words) else Belief.TRAINED


def _part(sentence: str, needle: re.Pattern[str]) -> str:
    """The part of a sentence between the borders to its neighbouring cues."""
    own = needle.search(sentence)
    others = [found.span() for found in _CUES[0].finditer(sentence) if not needle.search(found[0])]
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
