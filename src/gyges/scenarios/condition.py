"""Conditions: what can be asked of a world, of the calls so far and of the last answer. It runs nothing.

They decide a behaviour, a user's turn, the result of a test and what a tool does. All of them are authored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

MOST_CHARACTERS = 20_000
"""Of a text that a pattern is looked for in; the rest is not looked at."""


@dataclass(frozen=True, slots=True)
class Fits:
    """What a text has to be."""

    kind: Literal["is", "contains", "matches"]
    words: str

    def holds(self, text: str) -> bool:
        match self.kind:
            case "is":
                return text.strip() == self.words.strip()
            case "contains":
                return self.words.casefold() in text.casefold()
            case "matches":
                return pattern(self.words).search(text[:MOST_CHARACTERS]) is not None


@lru_cache(maxsize=1024)
def pattern(words: str) -> re.Pattern[str]:
    """Raises re.error, and OverflowError or RecursionError for patterns that can't be."""
    return re.compile(words, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Condition:
    """One question, or several put together. Exactly one of `kind`'s fields is used.

    `at`: a place of the world (`*` for any part) fits `test`, `exists`, is `gone` or has `changed`.
    `called`: a tool was called successfully, with arguments that fit. `passes`: a test of the world passes.
    `says`: the last answer fits. `all`, `any` and `not` put `parts` together.
    """

    kind: Literal["at", "called", "passes", "says", "all", "any", "not"]
    name: str = ""
    """The place, the tool, or the test."""
    test: Fits | None = None
    state: Literal["exists", "gone", "changed"] = "exists"
    arguments: tuple[tuple[str, Fits], ...] = ()
    at_least: int = 1
    parts: tuple[Condition, ...] = ()

    def all_parts(self) -> Iterable[Condition]:
        yield self
        for part in self.parts:
            yield from part.all_parts()


@dataclass(frozen=True, slots=True)
class Called:
    """A call that was carried out: its arguments as text, by name."""

    tool: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a condition may ask about."""

    start: Mapping[str, str] = field(default_factory=dict)
    """The world at the beginning: text by place."""
    state: Mapping[str, str] = field(default_factory=dict)
    calls: Sequence[Called] = ()
    answer: str = ""
    tests: Mapping[str, Condition] = field(default_factory=dict)
    """The world's tests, by `store/name`."""


def holds(condition: Condition, seen: Seen) -> bool:
    match condition.kind:
        case "all":
            return all(holds(part, seen) for part in condition.parts)
        case "any":
            return any(holds(part, seen) for part in condition.parts)
        case "not":
            return not any(holds(part, seen) for part in condition.parts)
        case "at":
            return _at(condition, seen) >= condition.at_least
        case "called":
            return sum(_fits(condition, call) for call in seen.calls) >= condition.at_least
        case "passes":
            return _passes(condition.name, seen)
        case "says":
            return condition.test is not None and condition.test.holds(seen.answer)


def _at(condition: Condition, seen: Seen) -> int:
    """How many places are as the condition wants them."""
    if condition.state != "exists":
        places = [place for place in {**seen.start, **seen.state} if fnmatchcase(place, condition.name)]
        gone = [place for place in places if place not in seen.state]
        if condition.state == "gone":
            return len(gone)
        return sum(seen.start.get(place) != seen.state.get(place) for place in places)
    found = [text for place, text in seen.state.items() if fnmatchcase(place, condition.name)]
    return sum(condition.test is None or condition.test.holds(text) for text in found)


def _fits(condition: Condition, call: Called) -> bool:
    given = call.arguments
    return fnmatchcase(call.tool, condition.name) and all(
        name in given and test.holds(given[name]) for name, test in condition.arguments
    )


def _passes(name: str, seen: Seen) -> bool:
    tests = [test for test, _ in seen.tests.items() if test == name or test.startswith(f"{name}/")]
    return bool(tests) and all(holds(seen.tests[test], seen) for test in tests)


def first_that_holds(choices: Iterable[tuple[str, Condition]], seen: Seen) -> str | None:
    """The name of the first condition that holds."""
    return next((name for name, condition in choices if holds(condition, seen)), None)
