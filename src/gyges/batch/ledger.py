"""Where what happens is put before it counts: the store itself, or a way to the process that has it."""

from __future__ import annotations

from typing import Protocol

from gyges.transcripts.record import Call, Episode, Intent


class Ledger(Protocol):
    """Each method returns once its row is committed. Raises StoreError where it can't be."""

    async def intent(self, intent: Intent) -> None:
        """A call that is about to be sent."""

    async def call(self, call: Call) -> None:
        """A call that was made, with what came back."""

    async def episode(self, episode: Episode) -> None:
        """An episode that came to its end."""
