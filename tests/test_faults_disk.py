"""A disk that fills up in mid-run: what was paid for is held, nothing more is sent, and then all goes on."""

from __future__ import annotations

import asyncio
import json
import resource
from pathlib import Path

import pytest

from gyges.batch.descriptors import within
from gyges.batch.lines import ready_agents
from gyges.batch.order import prepare
from gyges.batch.run import play_some
from gyges.transcripts import commits
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Outcome
from gyges.transcripts.store import RunWriter
from gyges.transcripts.verify import verify
from tests.test_batch_faults import EPISODES, ignore, order, organisms


def received(folder: Path) -> int:
    lines = map(json.loads, (folder / "witness.jsonl").read_text(encoding="utf-8").splitlines())
    return sum(line["event"] == "received" for line in lines)


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    "pages",
    [0, 5, *(pytest.param(pages, marks=pytest.mark.full) for pages in range(1, 60, 2) if pages != 5)],
)
async def test_what_was_paid_for_is_held_and_nothing_is_sent_until_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr(commits, "SECONDS_BETWEEN_TRIES", 0.05)
    path = tmp_path / "run.sqlite"
    async with organisms(tmp_path, []) as url:
        prepared = prepare(order(url))
        async with ready_agents(prepared) as agents:
            with RunWriter.create(path, prepared.manifest("run")) as writer:
                for plan in prepared.plans:
                    await writer.plan(plan)
                (there,) = writer._connection.execute("PRAGMA page_count").fetchone()
                writer._connection.execute(f"PRAGMA max_page_count = {there + pages}")
                playing = asyncio.create_task(play_some(prepared, agents, writer, ignore, frozenset()))
                async with asyncio.timeout(30):
                    while not writer.held and not playing.done():  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.01)
                await asyncio.sleep(0.3)
                sent = received(tmp_path)
                await asyncio.sleep(0.3)
                assert received(tmp_path) == sent
                writer._connection.execute("PRAGMA max_page_count = 1000000")
                async with asyncio.timeout(30):
                    await playing
    with RunReader(path) as reader:
        assert [one.outcome for one in reader.headings()] == [Outcome.COMPLETED] * EPISODES
    assert received(tmp_path) == EPISODES
    assert verify(path) == []


def test_calls_at_once_are_fewer_where_files_may_not_be_opened() -> None:
    assert within(1000, soft=256, hard=256) == (156, None)
    assert within(100, soft=256, hard=256) == (100, None)


def test_a_limit_that_may_be_raised_is_raised() -> None:
    assert within(1000, soft=256, hard=4096) == (1000, 1100)
    assert within(10_000, soft=256, hard=4096) == (3996, 4096)
    assert within(1000, soft=256, hard=resource.RLIM_INFINITY) == (1000, 1100)
