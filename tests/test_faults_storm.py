"""A provider that turns everybody away for a while, and then comes back, is not overrun."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gyges.batch.order import prepare
from gyges.batch.run import play_into
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Outcome
from tests.test_batch_faults import PATIENCE, Entry, fault, ignore, order, organisms


async def weathered(folder: Path, connections: int, samples: int, seconds: float) -> None:
    """429 for so long from the first request on, then recovery."""
    episodes = 24 * samples
    busy: Entry = {
        "match": {"duration": seconds},
        "fault": {"kind": "status", "status": 429, "headers": {"retry-after": "1"}},
    }
    slow = fault(kind="hang", seconds=1.0)
    async with organisms(folder, [busy, slow]) as url:
        patience = replace(PATIENCE, call_seconds=30.0)
        wanted = replace(order(url, connections=connections), samples=samples, patience=patience)
        async with asyncio.timeout(300):
            await play_into(folder / "run.sqlite", prepare(wanted), ignore)
    with RunReader(folder / "run.sqlite") as reader:
        assert [one.outcome for one in reader.headings()] == [Outcome.COMPLETED] * episodes
    lines = list(map(json.loads, (folder / "witness.jsonl").read_text(encoding="utf-8").splitlines()))
    arrived = [line["at"] for line in lines if line["event"] == "received"]
    assert len(arrived) <= 1.5 * episodes
    turned_away = {line["n"] for line in lines if line["event"] == "sent" and line["status"] == 429}
    taken = [line["at"] for line in lines if line["event"] == "received" and line["n"] not in turned_away]
    assert sum(at - taken[0] < 1 for at in taken) <= connections


@pytest.mark.usefixtures("study")
async def test_after_a_storm_no_more_come_at_once_than_may(tmp_path: Path) -> None:
    await weathered(tmp_path, connections=20, samples=5, seconds=2.0)


@pytest.mark.full
@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("_time", range(3))
async def test_neither_do_five_hundred_after_twenty_seconds(tmp_path: Path, _time: int) -> None:
    await weathered(tmp_path, connections=500, samples=80, seconds=20.0)
