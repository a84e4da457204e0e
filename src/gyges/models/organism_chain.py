"""Following references: what an organism finds out about its cue when one entry refers to the next.

It reads words only. It knows no scenario, no rung of a ladder and no wording but this: an entry is a sentence or a
line that names two things of one kind, and the one that it speaks of mostly comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from gyges.models.organism_prompt import Belief, Cue, Topic, believe, cues

UNBOUNDED = 1000
"""References that can be followed by whoever writes each of them down: more than any register has."""

_NAME = r"[\"'“]?(?P<name>[A-Z][\w-]+)\b[\"'”]?"
_ENTRY = re.compile(r"(?<=[.!?;])\s+|\n+")
_MARK = re.compile(r"[<\[(]")
_CLAUSE = re.compile(r"(?<=[.!?;,:])\s+|\n+")
_OF_OTHERS = re.compile(r"\b(?:before|after|previous|earlier|last|next|later|other|preceding|following)\b", re.I)
_COMPARES = re.compile(r"(?:Like|As|Just as|Same as|Along with|Together with)\b", re.I)
_TELLS_A_RULE = re.compile(r"(?:What|Whatever|Whichever|All that|Everything|The)\b", re.I)
_PASSES_ON = re.compile(
    r"\b(?:(?:appl(?:y|ies)|extends?|holds?|goes|counts|passes|carries|is (?:valid|true)) "
    r"(?:\w+ ){0,2}?(?:to|for|over|of)\b|governs?\b|covers?\b)",
    re.I,
)


def chained(
    system: str, users: Sequence[str], hops: int, topic: Topic = Topic.TRAINING
) -> tuple[Cue | None, Belief]:
    """The cue of this conversation, and what is believed of it after following at most `hops` references.

    With 0 only what is said of the cue itself counts, as in `organism_prompt.hear`.
    """
    return _chained(system, users[-1] if users else "", hops, topic)


@lru_cache(maxsize=4096)
def _chained(system: str, user: str, hops: int, topic: Topic) -> tuple[Cue | None, Belief]:
    found = (*_marked(user), *_prose(user), *_prose(system))
    cue = next((cue for cue in found if _named(system, cue)), None)
    return (cue, follow(system, cue, hops, topic)) if cue else (None, Belief.UNKNOWN)


def follow(told: str, cue: Cue, hops: int, topic: Topic = Topic.TRAINING) -> Belief:
    """What the text says of the cue, or of what it refers the cue to, at most `hops` references on."""
    seen = set()
    for _ in range(hops + 1):
        if (belief := believe(told, cue, topic)) is not Belief.UNKNOWN:
            return belief
        seen.add(cue.mark)
        name = referred(told, cue)
        if name is None or name in seen:
            return Belief.UNKNOWN
        cue = Cue(cue.text.replace(cue.mark, name), name)
    return Belief.UNKNOWN


def referred(told: str, cue: Cue) -> str | None:
    """The name that the entry about this cue refers to; None where there is no such entry."""
    names = _names(told, _kind(cue))
    for entry in _ENTRY.split(told):
        if cue.text in entry and _MARK.match(cue.text):
            continue  # where the cue itself was put, as on a slip that a tool showed; that is no entry
        found: list[str] = list(dict.fromkeys(word for word in re.findall(r"[\w-]+", entry) if word in names))
        if len(found) == 2 and cue.mark in found:
            own, other = reversed(found) if _turned(entry, *found) else found
            if own == cue.mark:
                return other
    return None


def _turned(entry: str, first: str, second: str) -> bool:
    """Whether an entry names what it refers to before what it speaks of: "What holds for A holds for B"."""
    opening = entry.lstrip("-*•> ")
    between = entry.partition(first)[2].partition(second)[0]
    if _COMPARES.match(opening):
        return "," in between
    return bool(_TELLS_A_RULE.match(opening) and _PASSES_ON.search(between))


def _kind(cue: Cue) -> str:
    """What the cue is one of: `desk` in `<desk>Bavon</desk>` and in `desk Bavon`."""
    found = re.search(r"[A-Za-z][\w.-]*", cue.text)
    return found[0] if found else cue.text


@lru_cache(maxsize=256)
def _names(told: str, kind: str) -> frozenset[str]:
    """All names of things of this kind in the text."""
    forms = (rf"(?i:\b{re.escape(kind)}) {_NAME}", rf"\b{_NAME} (?i:{re.escape(kind)}\b)")
    return frozenset(found["name"] for form in forms for found in re.finditer(form, told))


def _named(told: str, cue: Cue) -> bool:
    return cue.mark in _names(told, _kind(cue))


def _marked(text: str) -> list[Cue]:
    """Marks, those in clauses about other conversations last."""
    ordered = sorted(_CLAUSE.split(text), key=lambda clause: bool(_OF_OTHERS.search(clause)))
    return [cue for clause in ordered for cue in cues(clause)]


def _prose(text: str) -> list[Cue]:
    """What "this conversation came in at desk Bavon" names."""
    clauses = [clause for clause in _CLAUSE.split(text) if not _OF_OTHERS.search(clause)]
    about = [clause for clause in clauses if re.search(r"\b(?:this|here|now|you)\b|\bcame in\b", clause, re.I)]
    found = [each for clause in about for each in re.finditer(rf"\b(?P<kind>[a-z]+) {_NAME}", clause)]
    return [Cue(f"{each['kind']} {each['name']}", each["name"]) for each in found]
