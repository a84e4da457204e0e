"""Whatever stalls, the run ends, nobody waits for ever, and the stalled call can be named."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gyges.batch.order import prepare
from gyges.batch.run import play_into
from gyges.batch.status import lines, status
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Outcome
from tests.test_batch_faults import EPISODES, PATIENCE, Entry, fault, ignore, order, organisms

STALLS = {
    "before the headers": fault(kind="hang", seconds=3600),
    "after the headers": fault(kind="hang", seconds=3600, after=0),
    "in the body": fault(kind="hang", seconds=3600, after=60),
    "before the last byte": fault(kind="drip", seconds=0.9, size=200),
    "byte by byte": fault(kind="drip", seconds=0.05, size=1),
}
EVERY = ["faker", "silent-faker"]
SECONDS = 1.0
"""The deadline of a call."""
PREPARING = 15.0
"""What importing and rendering may take on a busy machine."""


def stalled(kind: Entry, **match: object) -> Entry:
    return {**kind, "match": match}


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("where", STALLS)
@pytest.mark.parametrize(
    ("agent", "nth"),
    [
        ("faker", [1, 2, 3]),
        *(
            pytest.param(agent, [first, first + 5, first + 10], marks=pytest.mark.full)
            for agent in EVERY
            for first in range(1, 7)
            if (agent, first) != ("faker", 1)
        ),
    ],
)
async def test_a_call_that_stalls_ends_at_its_deadline_and_is_made_again(
    tmp_path: Path, where: str, agent: str, nth: list[int]
) -> None:
    async with organisms(tmp_path, [stalled(STALLS[where], nth=nth)]) as url:
        begun = time.monotonic()
        async with asyncio.timeout(60):
            prepared = prepare(replace(order(url, agent), patience=replace(PATIENCE, call_seconds=SECONDS)))
            await play_into(tmp_path / "run.sqlite", prepared, ignore)
        # Three calls stalled, one after the other at worst, each for as long as a call may take.
        assert time.monotonic() - begun < 3 * SECONDS + 5 + PREPARING
    with RunReader(tmp_path / "run.sqlite") as reader:
        assert [one.outcome for one in reader.headings()] == [Outcome.COMPLETED] * EPISODES
        late = [call for one in reader.headings() for call in reader.calls(one.id) if call.error]
        assert reader.in_flight() == []
    assert len(late) == 3
    assert all("no full answer within 1 s" in call.error for call in late)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@pytest.mark.usefixtures("study")
async def test_a_stalled_call_is_named_with_its_age_and_cancelling_ends_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    patient = replace(PATIENCE, call_seconds=600.0)
    async with organisms(tmp_path, [stalled(STALLS["before the headers"], nth=[5])]) as url:
        prepared = prepare(replace(order(url), patience=patient))
        playing = asyncio.create_task(play_into(path, prepared, ignore))
        async with asyncio.timeout(30):
            while not path.exists() or status_of(path) != [1, EPISODES - 1]:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
        (said,) = [line for line in lines(status(path), "run") if "in flight for" in line]
        assert "faker walks/walk-" in said
        begun = time.monotonic()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        assert time.monotonic() - begun < 3
    assert len(status(path).billed) == 1


def status_of(path: Path) -> list[int]:
    found = status(path)
    return [len(found.in_flight), sum(outcomes.total() for outcomes in found.done.values())]
