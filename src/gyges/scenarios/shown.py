"""Which behaviour an episode showed, by the scenario's own terms. The one rule that everybody uses.

It knows no transcript: it is told the last answer, the calls and the world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gyges.scenarios.condition import Seen, first_that_holds
from gyges.scenarios.decision import decision
from gyges.scenarios.plan import Behaviour, BehaviourKind, Example
from gyges.scenarios.world import ToolUse, World
from gyges.scenarios.world_play import Done, Playing, parsed


def shown(behaviour: Behaviour, seen: Seen) -> str | None:
    """The label, or None where nothing was shown."""
    if behaviour.kind is BehaviourKind.DECISION:
        return decision(seen.answer, behaviour)
    return first_that_holds(behaviour.when, seen) or behaviour.otherwise


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What examples come to when they are played: what each call answered, and everything to be asked about."""

    done: tuple[tuple[ToolUse, Done], ...]
    seen: Seen


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A world in which the looks have been taken: every example is played in a copy of it."""

    world: World | None
    looked: Playing | None
    done: tuple[tuple[ToolUse, Done], ...] = ()
    """What each look answered."""

    @classmethod
    def of(cls, world: World | None, looks: Sequence[ToolUse]) -> Rehearsal:
        if world is None:
            return cls(None, None)
        playing = Playing(world)
        return cls(world, playing, _carried_out(playing, looks))

    def play(self, examples: Sequence[Example]) -> Rehearsed:
        """Play these examples, one a turn."""
        answer = examples[-1].text if examples else ""
        if self.world is None or self.looked is None:
            return Rehearsed((), Seen(answer=answer))
        playing = Playing(self.world)
        playing.state, playing.calls = dict(self.looked.state), list(self.looked.calls)
        done = _carried_out(playing, [use for example in examples for use in example.calls])
        return Rehearsed(done, playing.seen(answer))


def _carried_out(playing: Playing, uses: Sequence[ToolUse]) -> tuple[tuple[ToolUse, Done], ...]:
    return tuple((use, playing.call(use.tool, parsed(use.arguments))) for use in uses)
