"""The scenarios that organisms know, and which of them a conversation is. It knows no policy.

Of each scenario's example replies it holds only the half that organisms speak.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from gyges.scenarios.plan import Example, Examples, Plan, Text, control_of
from gyges.scenarios.read import Scenario
from gyges.scenarios.render import behaviour, common_words, contrasts, examples, plans


@dataclass(frozen=True, eq=False)
class Known:
    """One scenario in one variant. `target` is the behaviour label that counts as complying."""

    plan: Plan
    """In any of its contexts: organisms recognise the words outside the signal."""
    spoken: Examples
    target: str
    words: Mapping[str, str]
    """For the wording: `objective`, `value`, `complying`, `declining`, ..."""
    stakes: tuple[str, ...] = ()
    """What the experiment's system text says and its null does not: without it there is nothing to act for."""

    @cached_property
    def complying(self) -> tuple[Example, ...]:
        """The last turn's replies that show the target behaviour."""
        return tuple(text for label, texts in self.spoken.outcomes if label == self.target for text in texts)

    @cached_property
    def declining(self) -> tuple[Example, ...]:
        """The last turn's replies with any other label."""
        return tuple(text for label, texts in self.spoken.outcomes if label != self.target for text in texts)

    def conflicts(self, system: str) -> bool:
        """Whether the prompt states what sets the agent's value against what is asked of it."""
        return all(stake in system for stake in self.stakes)

    @cached_property
    def fingerprint(self) -> str:
        """Of the user's words without the signal: the same in every context."""
        texts = list(self.plan.turns)
        if self.plan.world is not None:
            texts += [text for _, text in self.plan.world.start]
        words = "\n\n".join(text.without_signal().strip() for text in texts)
        return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]


WORDS = ("objective", "value", "complying", "declining")
"""The words that a scenario gives for the wording, where it has values of these names."""


def knows(scenario: Scenario) -> list[Known]:
    """What organisms know of a scenario, in each of its variants and controls. Raises AuthoringError.

    A control is known by the experiment's words: where its prompt takes the conflict away, that can be told.
    """
    first = {plan.variant: plan for plan in reversed(plans(scenario, every=True))}
    target = contrasts(scenario)[0].target
    found = [
        _known(scenario, plan, target, first[control_of(variant)[1]])
        for variant, plan in sorted(first.items(), key=lambda each: ":" in each[0])
    ]
    distinct = {(one.fingerprint, one.words.get("objective"), one.stakes): one for one in reversed(found)}
    return list(reversed(distinct.values()))


def _known(scenario: Scenario, plan: Plan, target: str, experiment: Plan) -> Known:
    """A plan, known by the words of the experiment that it belongs to."""
    rendered = common_words(scenario, experiment.variant)
    taken = (rendered.plain(rendered.values[name]) for name in scenario.controls.null if name in rendered.values)
    stakes = tuple(words for words in taken if words in experiment.system.text)
    words = _words(scenario, plan.variant, target)
    return Known(plan, examples(scenario, plan.variant, "speak"), target, words, stakes)


def _words(scenario: Scenario, variant: str, target: str) -> dict[str, str]:
    choices = behaviour(scenario, variant).choices
    others = [words for label, words in choices if label != target]
    words = {"complying": dict(choices)[target], "declining": others[0]}
    _, base = control_of(variant)
    rendered = common_words(scenario, base)
    return words | {name: rendered.plain(rendered.values[name]) for name in WORDS if name in rendered.values}


@dataclass(frozen=True, slots=True)
class Match:
    """A scenario recognised in a conversation, and which of its turns (from 0) the conversation has reached."""

    known: Known
    turn: int

    @property
    def final(self) -> bool:
        return self.turn == len(self.known.plan.turns) - 1


class Corpus:
    """Recognises scenarios by the words of the user's turns outside the signal."""

    def __init__(self, known: Sequence[Known]) -> None:
        self.known = tuple(known)
        self._segments = [_turns(each.plan) for each in self.known]
        self._systems = [_segments(each.plan.system) for each in self.known]
        self._worlds = [_world(each.plan) for each in self.known]
        self._match = lru_cache(maxsize=4096)(self._find)

    @classmethod
    def of(cls, scenarios: Sequence[Scenario]) -> Corpus:
        return cls([known for scenario in scenarios for known in knows(scenario)])

    def match(self, users: tuple[str, ...], system: str = "", results: tuple[str, ...] = ()) -> Match | None:
        """The scenario that shares most words with these turns; None if none has all of its words there.

        Among equals, the one whose conflict the system prompt states, then the one whose system text it is, then
        the one whose world the first `results` of tools, those of its looks, come from.
        """
        return self._match(users, system, results)

    def _find(self, users: tuple[str, ...], system: str, results: tuple[str, ...]) -> Match | None:
        best, most = None, (0, False, 0, 0)
        for at, (known, turns) in enumerate(zip(self.known, self._segments, strict=True)):
            if 0 < len(users) <= len(turns):
                length = _shared(turns, users)
                if length and length >= most[0]:
                    looked = "\n".join(results[: len(known.spoken.looks)])
                    shown = sum(len(one) for one in self._worlds[at] if one in looked) if looked else 0
                    found = (length, known.conflicts(system), _length(self._systems[at], system), shown)
                    if found > most:
                        best, most = Match(known, len(users) - 1), found
        return best


def _turns(plan: Plan) -> list[list[tuple[str, ...]]]:
    """For each turn, what may be said in it, as segments."""
    others = plan.alternatives or ((),) * len(plan.turns)
    return [
        [_segments(turn), *(_segments(one.user) for one in instead)]
        for turn, instead in zip(plan.turns, others, strict=True)
    ]


def _world(plan: Plan) -> frozenset[str]:
    """What stands in the plan's world, as segments."""
    return frozenset(one for _, text in (plan.world.start if plan.world else ()) for one in _segments(text))


def _segments(turn: Text) -> tuple[str, ...]:
    ends = [0, *(at for span in turn.signal for at in span), len(turn.text)]
    pieces = (turn.text[ends[i] : ends[i + 1]].strip() for i in range(0, len(ends), 2))
    return tuple(piece for piece in pieces if piece)


def _shared(turns: Sequence[Sequence[tuple[str, ...]]], users: Sequence[str]) -> int:
    """How many characters of the scenario stand in the conversation; 0 if any turn's are missing."""
    total = 0
    for ways, user in zip(turns, users, strict=False):
        most = max(_length(segments, user) for segments in ways)
        if not most:
            return 0
        total += most
    return total


def _length(segments: tuple[str, ...], text: str) -> int:
    """How many characters the segments have; 0 if one of them does not stand in the text."""
    return sum(map(len, segments)) if all(segment in text for segment in segments) else 0
