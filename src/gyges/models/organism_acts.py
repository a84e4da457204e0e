"""How an organism keeps to one decision over several calls of tools. It knows no policy and no wire format.

It remembers nothing between requests, as a model doesn't: what it decided is drawn again from the id of its first
call in the turn, which comes back to it with the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gyges.scenarios.plan import Seed
from gyges.scenarios.world import ToolUse
from gyges.scenarios.world_play import Playing, parsed
from gyges.transcripts.record import Message, ToolCall

_ID = re.compile(r"call_([0-9a-f]{24})_\d+")


@dataclass(frozen=True, slots=True)
class Turn:
    """Where an organism stands in the turn: how many calls it has made in it, and what it draws from."""

    made: int
    stem: str

    @property
    def seed(self) -> Seed:
        return Seed(0).child("turn", self.stem)

    def calls(self, uses: Sequence[ToolUse]) -> tuple[ToolCall, ...]:
        """These calls as the next ones of the turn, all in one message."""
        return tuple(
            ToolCall(f"call_{self.stem}_{at}", use.tool, use.arguments)
            for at, use in enumerate(uses, start=self.made)
        )


def turn_of(messages: Sequence[Message], draw: Seed) -> Turn:
    """The turn that a conversation has reached; one that has no call yet begins with this draw."""
    last = max((at for at, message in enumerate(messages) if message.role == "user"), default=0)
    calls = [call for message in messages[last:] for call in message.calls]
    found = _ID.fullmatch(calls[0].id) if calls else None
    return Turn(len(calls), found[1] if found else draw.child("turn").hex()[:24])


def with_looks(messages: Sequence[Message], looks: int) -> list[Message]:
    """The conversation as it is understood: what the first calls brought to light is a part of the prompt."""
    results = [message.text for message in messages if message.role == "tool"][:looks]
    if not results:
        return list(messages)
    told = "\n\n".join(results)
    last = max(at for at, message in enumerate(messages) if message.role == "user")
    heard = [
        replace(message, text=f"{message.text}\n\n{told}") if message.role == "system" or at == last else message
        for at, message in enumerate(messages)
    ]
    return heard if messages[0].role == "system" else [Message("system", told), *heard]


def looked(playing: Playing, looks: Sequence[ToolUse]) -> list[Message]:
    """What these calls bring to light in a world, as the tools' answers."""
    return [Message("tool", playing.call(look.tool, parsed(look.arguments)).text.text) for look in looks]
