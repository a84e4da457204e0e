"""Batches that were handed to a provider, as rows: announced first, named once the provider has taken them.

It knows no provider. A batch's calls are each the first of their episode.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gyges.transcripts import rows, schema
from gyges.transcripts.codec import original, stored
from gyges.transcripts.record import Call, Intent

Stage = Literal["announced", "named", "fetched", "lost"]
"""`lost`: the provider has none of this key, or did not take it; its calls are free for another batch."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """One batch of one agent's calls."""

    key: str
    """Ours."""
    agent: str
    calls: tuple[tuple[str, int], ...]
    """Episode's id and attempt, for each call."""
    sent: float
    name: str = ""
    """The provider's; "" where that is not known."""
    stage: Stage = "announced"
    why: str = ""
    """What the provider said of one that it did not take."""

    @property
    def open(self) -> bool:
        """Whether something is still to come of it."""
        return self.stage in ("announced", "named")


_COLUMNS = "key, agent, calls, sent, name, stage, why"


def put(db: sqlite3.Connection, batch: Submitted) -> None:
    """Announce a batch: its row, and an intent for each of its calls."""
    row = (
        batch.key,
        stored(batch.agent),
        json.dumps(batch.calls),
        batch.sent,
        batch.name,
        batch.stage,
        stored(batch.why),
    )
    db.execute(f"INSERT INTO batch({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    for episode, attempt in batch.calls:
        rows.put_intent(db, Intent(episode, 0, attempt, batch.sent))


def change(db: sqlite3.Connection, batch: Submitted, calls: Sequence[Call] = ()) -> None:
    """What became of a batch, and the calls that came with it, all or nothing."""
    db.execute(
        "UPDATE batch SET name = ?, stage = ?, why = ? WHERE key = ?",
        (batch.name, batch.stage, stored(batch.why), batch.key),
    )
    for call in calls:
        rows.put_call(db, call)


def get(db: sqlite3.Connection) -> Iterator[Submitted]:
    """All batches of a run, oldest first."""
    if schema.version(db) < schema.WITH_BATCHES:
        return
    for key, agent, calls, sent, name, stage, why in db.execute(f"SELECT {_COLUMNS} FROM batch ORDER BY number"):
        made = tuple((episode, attempt) for episode, attempt in json.loads(calls))
        yield Submitted(key, original(agent), made, sent, name, stage, original(why))
