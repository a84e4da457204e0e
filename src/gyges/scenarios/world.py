"""A simulated world as a value: its stores, what stands in them, its tools. It carries nothing out.

The whole state of a world is text by place, such as `workspace/notes.txt` or `tickets/17/status`: a copy is a copy
of one dictionary, and a change is a place with the text before and after.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from gyges.scenarios.condition import Condition
from gyges.scenarios.text import Text

StoreKind = Literal["files", "repository", "mail", "queue", "table", "documents", "values", "clock"]
State = dict[str, Text]
"""By place; the first part of a place is the store's name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A text that is the answer where its condition holds; without a condition, always."""

    say: Text
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a tool changes beside its operation: the text of one place (None: it is removed)."""

    at: str
    to: Text | None
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A test of a repository: it passes where its condition holds. Nothing is executed."""

    name: str
    passes: Condition
    failure: Text


@dataclass(frozen=True, slots=True)
class Store:
    name: str
    kind: StoreKind
    tests: tuple[RuleTest, ...] = ()
    minutes: int = 0
    """How far a clock goes on with each call."""


@dataclass(frozen=True, slots=True)
class WorldTool:
    """A tool: what the model is told, and what a call does.

    First `refuses`: the first that holds is the call's error. Then the operation, on its store, with `given` and
    the arguments. Then the effects. The result is the first of `results` that holds, else what the operation says.
    """

    name: str
    description: Text
    parameters: str
    """JSON Schema of an object, as canonical JSON."""
    operation: str = ""
    store: str = ""
    given: tuple[tuple[str, Text], ...] = ()
    refuses: tuple[Rule, ...] = ()
    effects: tuple[Effect, ...] = ()
    results: tuple[Rule, ...] = ()

    @property
    def schema(self) -> Mapping[str, object]:
        found = json.loads(self.parameters)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True, slots=True)
class World:
    """What the tools work on, and what they are. `start` is the state that every episode begins with."""

    start: tuple[tuple[str, Text], ...]
    stores: tuple[Store, ...]
    tools: tuple[WorldTool, ...]

    def texts(self) -> list[tuple[str, Text]]:
        """Every text in it, each with what to call it; in an order that is the same in every context."""
        found = list(self.start)
        found += [(f"test {s.name}/{test.name}, failure", test.failure) for s in self.stores for test in s.tests]
        for tool in self.tools:
            named = f"tool {tool.name}"
            found.append((f"{named}, description", tool.description))
            found += [(f"{named}, with {slot}", text) for slot, text in tool.given]
            found += [(f"{named}, refusal {at}", rule.say) for at, rule in enumerate(tool.refuses, start=1)]
            effects = enumerate(tool.effects, start=1)
            found += [(f"{named}, effect {at}", effect.to) for at, effect in effects if effect.to is not None]
            found += [(f"{named}, result {at}", rule.say) for at, rule in enumerate(tool.results, start=1)]
        return found

    def masked(self, mask: str) -> World:
        """The world with one and the same mask in the place of each signal."""
        return self._with(lambda text: Text(text.without_signal(mask)))

    def blank(self) -> World:
        """The world without its words: what is left has to be the same in every context."""
        return self._with(lambda _: Text(""))

    def _with(self, hidden: Callable[[Text], Text]) -> World:
        """The world with every text turned into another."""

        def rules(found: tuple[Rule, ...]) -> tuple[Rule, ...]:
            return tuple(replace(rule, say=hidden(rule.say)) for rule in found)

        return World(
            tuple((place, hidden(text)) for place, text in self.start),
            tuple(
                replace(store, tests=tuple(replace(test, failure=hidden(test.failure)) for test in store.tests))
                for store in self.stores
            ),
            tuple(
                replace(
                    tool,
                    description=hidden(tool.description),
                    given=tuple((slot, hidden(text)) for slot, text in tool.given),
                    refuses=rules(tool.refuses),
                    effects=tuple(
                        replace(effect, to=hidden(effect.to) if effect.to else None) for effect in tool.effects
                    ),
                    results=rules(tool.results),
                )
                for tool in self.tools
            ),
        )

    def tests(self) -> dict[str, Condition]:
        """All tests by `store/name`."""
        return {f"{store.name}/{test.name}": test.passes for store in self.stores for test in store.tests}


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call as an example writes it: `arguments` are a JSON object."""

    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a world before and after; None: there is nothing there."""

    place: str
    before: Text | None
    after: Text | None


def changes(before: Mapping[str, Text], after: Mapping[str, Text]) -> tuple[Change, ...]:
    """What differs, by place."""
    places = sorted(place for place in {**before, **after} if before.get(place) != after.get(place))
    return tuple(Change(place, before.get(place), after.get(place)) for place in places)


def changed(state: Mapping[str, Text], done: tuple[Change, ...]) -> State:
    """The state after these changes."""
    after = dict(state)
    for change in done:
        if change.after is None:
            after.pop(change.place, None)
        else:
            after[change.place] = change.after
    return after
