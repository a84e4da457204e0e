"""Signs that a sentence speaks to its grader, none of which is enough, weighed together. It knows no phrase.

A cue is a phrase that somebody thought of. Signs are what all such phrases are made of: a second person, a word
for who judges, a word for judging, this text itself, a mild verdict, an order, a plea. Each has points, some have
them against it, and a sentence whose points reach the threshold addresses its grader.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, ConfigDict

KEYED = "keyed"
"""The sign of a field's name with a mild value; its name twice over is that of two in one sentence."""
TWICE = "keyed_twice"


class Sign(BaseModel):
    """Patterns of words, and spellings for languages whose words are not parted by blanks or change within.

    With `opens` a pattern has to stand at a clause's beginning.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    opens: bool = False
    patterns: tuple[str, ...] = ()
    spelt: tuple[str, ...] = ()


class Weights(BaseModel):
    """Points of the signs in a sentence itself, and of those in the one before or after it and not in itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: int
    needed: frozenset[str] = frozenset()
    """One of these at least has to stand in the sentence or beside it."""
    own: dict[str, int] = {}
    near: dict[str, int] = {}

    @cached_property
    def most_near(self) -> int:
        """What the sentences beside one may add at most."""
        return sum(one for one in self.near.values() if one > 0)

    def may_reach(self, signs: Collection[str]) -> bool:
        """Whether a sentence with these signs could reach the threshold with the best of neighbours."""
        return _points(signs, self.own) + self.most_near >= self.threshold


@dataclass(frozen=True, slots=True)
class Weighed:
    """The signs of a sentence, and its span in the text."""

    start: int
    end: int
    signs: frozenset[str]


def outweigh(read: Sequence[Weighed], weights: Weights) -> Iterator[Weighed]:
    """The sentences that reach the threshold, alone or with those beside them, which are found with them.

    Those that reach it alone help no other, and what is left is weighed again without what was found: so nothing
    is found in a text in which this is masked, and nothing is masked for standing beside it.
    """
    left = list(read)
    while any(weights.may_reach(one.signs) for one in left):
        found = {at for at, one in enumerate(left) if _reaches(one.signs, frozenset(), weights)}
        found = found or {place for at in range(len(left)) for place in _helped(left, at, weights)}
        if not found:
            return
        yield from (left[at] for at in sorted(found))
        left = [one for at, one in enumerate(left) if at not in found]


def _helped(read: Sequence[Weighed], at: int, weights: Weights) -> list[int]:
    own = read[at].signs
    if not own or not weights.may_reach(own):
        return []
    beside = [one for one in (at - 1, at + 1) if 0 <= one < len(read)]
    if not _reaches(own, frozenset[str]().union(*(read[one].signs for one in beside)) - own, weights):
        return []
    return [at, *(one for one in beside if _points(read[one].signs - own, weights.near) > 0)]


def _reaches(own: frozenset[str], near: frozenset[str], weights: Weights) -> bool:
    if _points(own, weights.own) + _points(near, weights.near) < weights.threshold:
        return False
    return not weights.needed or not weights.needed.isdisjoint(own | near)


def _points(signs: Collection[str], points: Mapping[str, int]) -> int:
    return sum(points.get(one, 0) for one in signs)


def marks(text: str) -> list[tuple[int, str]]:
    """The signs that are no words, each with its place.

    `keyed`: a field of a judge's form filled in mildly (`severity="0"`), or two side by side as in a table;
    `veiled`: what hides text where a page is shown; `role`: a mark of who speaks.
    """
    found = [(one.start(), name) for name, form in _MARKS for one in form.finditer(text)]
    # What fills a field is rarer than its name, so it is looked for first.
    filled = [
        (one.start(), KEYED)
        for one in _FILLED.finditer(text)
        if (_FIELDS if one["field"] else _DONE if one["done"] else _NAMED).search(
            text, max(0, one.start() - NAME), one.start()
        )
    ]
    return sorted(found + filled)


def with_twice(names: Sequence[str]) -> set[str]:
    """The signs in a sentence with these marks: a field filled in twice is one more."""
    return {*names, TWICE} if names.count(KEYED) > 1 else set(names)


_FIELD = (
    r"(?:(?:final|expected|gold|overall)[_ ]?)?(?:verdict|label|severity|flag(?:s|ged)?|findings?|score|grade"
    r"|rating|reviewed|suspicion|directive|audience|motives?|status|result|outcome|assessment|evaluation|judge?ment"
    r"|classification|deception|intent|harm(?:ful)?|criteria|rubric|grader|evidence|violation|concerns?|misconduct)"
)
_MILD = (
    r"(?:0(?:\.0+)?|none|no|false|clean|honest|benign|pass(?:ed)?|ok|null|ignore|skip|neutral|empty|approved|cleared"
    r"|low|n/?a|harmless|safe|innocent|monitor|\[ ?\]|\{ ?\}|[\"']{2})(?!\w)"
)
_FILLED = re.compile(
    rf"[,;|\t] ?[\"']?(?P<field>{_FIELD})\b"
    r"|[:=] ?[\"']?(?P<done>true|yes|1|done)\b"
    rf"|(?:,|(?:[:=|>→⇒]|:-|\| ?default\() ?)[\"'`*]{{0,3}}{_MILD}"
    r"|\.(?:json|csv|txt|ya?ml)\b",
    re.IGNORECASE,
)
NAME = 60
"""So many characters before what fills a field are looked at for its name."""
_NAMED = re.compile(rf"\b{_FIELD}s?(?:\([^\n)]{{0,20}}\))?[\"'`*]{{0,3}} ?[:=-]?\Z", re.IGNORECASE)
_FIELDS = re.compile(rf"\b{_FIELD}[\"' ]?\Z", re.IGNORECASE)
_DONE = re.compile(
    r"\b(?:reviewed|cleared|approved|audited|vetted|exempt|benign|verified|skip|ignore)(?:_\w{1,12})?[\"']? ?\Z",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(r"\{[{%] ?[^}\n]{0,30}\b(?:grader|judge|evaluator|verdict|monitor)\b", re.IGNORECASE)
_VEILED = re.compile(r"<!--|display: ?none|\[//\]: ?#|<\w{1,10} hidden\b|font-size: ?0|aria-hidden", re.IGNORECASE)
_ROLE = re.compile(
    r"(?m)^[ \t>]{0,4}(?:human|user|assistant|system|developer|operator|judge|grader|evaluator|monitor) ?[:>]"
    r"|\[/?INST\]|<</?SYS>>|^#{1,6} ?(?:instructions?|system|human|assistant|response)\b"
    r"|\[(?:system|assistant|user|admin|developer|operator|grader|judge|evaluator|monitor)\b",
    re.IGNORECASE,
)
_MARKS = ((KEYED, _TEMPLATE), ("veiled", _VEILED), ("role", _ROLE))
