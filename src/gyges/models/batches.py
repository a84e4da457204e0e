"""The contract of a provider's batches: hand in many requests, come back, fetch what came of each.

It knows no episode. A request is named by its own id, under which its result is found, in whatever order results
come; a batch is named by a key of ours, by which one is found again whose submission nobody heard the end of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gyges.models.provider import CallFailed, Received

MOST_ITEMS = 1000
"""Requests of one batch: providers take fifty times as many, but a batch comes and expires as a whole."""
MOST_BYTES = 256 * 1024 * 1024
"""The largest file of results that is taken."""


@dataclass(frozen=True, slots=True)
class Item:
    """One request of a batch. The id has at most 64 letters, digits, - and _."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class State:
    """How far a batch is."""

    name: str
    """As the provider calls it."""
    ended: bool
    words: str
    """The provider's word for it, for people."""
    failed: str = ""
    """Why the whole batch was not taken; "" if it was."""
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one request: an answer as it would have come by itself, or why there is none."""

    id: str
    received: Received | None = None
    failure: CallFailed | None = None


class Batches(Protocol):
    """The batches at one address with one key. Every method raises CallFailed."""

    async def submit(self, key: str, items: Sequence[Item]) -> str:
        """Hand in a batch. Returns its name. Never tried again here: `find` says whether it was taken."""

    async def find(self, key: str, items: Sequence[Item], since: float) -> str | None:
        """The name of a batch that was handed in under this key, not before `since`; None if none was.

        Raises NotYetKnown where the provider can't tell before a batch has ended.
        """

    async def state(self, name: str) -> State: ...

    async def results(self, name: str) -> list[Result]:
        """Of a batch that has ended, in the provider's order. Requests without any result are not in it."""

    async def close(self) -> None: ...


class NotYetKnown(CallFailed):
    """A batch that may be ours has not ended, and only its results say whose it is."""
