"""A plan's world at work in one episode: its tools offered, its calls answered. It knows no graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gyges.models.provider import Tool
from gyges.models.tools import arguments
from gyges.scenarios.world import State, World
from gyges.scenarios.world_play import Playing
from gyges.transcripts.record import Message, ToolCall, ToolResult


@dataclass(frozen=True, slots=True)
class WorldBench:
    """The tools of a world, on a state that is this episode's own."""

    playing: Playing

    @classmethod
    def of(cls, world: World) -> WorldBench:
        return cls(Playing(world))

    @property
    def offered(self) -> tuple[Tool, ...]:
        tools = self.playing.world.tools
        return tuple(Tool(tool.name, tool.description.text, tool.schema) for tool in tools)

    @property
    def state(self) -> State:
        return dict(self.playing.state)

    async def answers(self, calls: Sequence[ToolCall]) -> tuple[Message, ...]:
        """The results of these calls, carried out one after the other in their order."""
        return tuple(self.answer(call) for call in calls)

    def answer(self, call: ToolCall) -> Message:
        """The result of one call, or what is wrong with it. A call that fails leaves the world as it was."""
        try:
            given = arguments(call)
        except ValueError as error:
            return Message("tool", f"Error: {error}", result=ToolResult(call.id, failed=True))
        done = self.playing.call(call.name, given)
        result = ToolResult(call.id, done.failed)
        return Message("tool", done.text.text, signal=done.text.signal, result=result, changes=done.changes)
