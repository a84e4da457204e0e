"""A provider that says how much is left is never asked for more: the 429 that it would send need not come."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from gyges.batch.order import Order, prepare
from gyges.batch.retry import Patience
from gyges.batch.run import play_into
from gyges.models.http import Headers, Taken
from gyges.models.in_process import InProcess
from gyges.scenarios.plan import Seed
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Outcome

CAPACITY = 30
A_SECOND = 50.0
EPISODES = 72
ANTHROPIC = "model: organism/faker\nwire: anthropic\n"


class Metered:
    """Organisms behind a bucket that fills up evenly, as providers' limits do; what does not fit gets a 429."""

    def __init__(self, *, a_second: float = A_SECOND, silent: bool = False) -> None:
        self._a_second = a_second
        self._inside = InProcess.knowing(("walks",), Seed(1))
        self._silent = silent
        self._left, self._at = float(CAPACITY), time.monotonic()
        self.turned_away = 0

    async def post(self, url: str, headers: Headers, body: bytes) -> Taken:
        now = time.monotonic()
        if self._left < CAPACITY:
            self._left = min(CAPACITY, self._left + (now - self._at) * (1 if self._silent else self._a_second))
        self._at = now
        told = [] if self._silent else self._told(url, max(0, int(self._left) - 1))
        if self._left < 1:
            self.turned_away += 1
            # One is enough to be seen; a run that never heard of the limit is to come to its end.
            self._left = float("inf") if self._silent else self._left
            return Taken(429, told, b'{"error": {"type": "rate_limit_error", "message": "slower"}}')
        self._left -= 1
        taken = await self._inside.post(url, headers, body)
        return taken._replace(headers=[*taken.headers, *told])

    def _told(self, url: str, left: int) -> list[tuple[bytes, bytes]]:
        seconds = (CAPACITY - self._left) / self._a_second
        if "messages" in url:
            reset = datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()
            names = "anthropic-ratelimit-requests-{}"
        else:
            reset, names = f"{1000 * seconds:.0f}ms", "x-ratelimit-{}-requests"
        told = {"limit": str(CAPACITY), "remaining": str(left), "reset": reset}
        return [(names.format(name).encode(), value.encode()) for name, value in told.items()]

    async def close(self) -> None: ...


@asynccontextmanager
async def over_sockets(wire: Metered) -> AsyncIterator[str]:
    """Its address, for other processes than this one."""

    async def answer(request: web.Request) -> web.Response:
        taken = await wire.post(request.path, list(request.headers.items()), await request.read())
        told = [(name.decode(), value.decode()) for name, value in taken.headers]
        return web.Response(status=taken.status, headers=told, body=taken.body)

    app = web.Application()
    app.router.add_post("/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def ignore(episode: Episode) -> None: ...


async def turned_away(folder: Path, agent: str, *, silent: bool) -> int:
    """How many calls of a run got a 429."""
    wire = Metered(silent=silent)
    order = Order(("walks",), (agent,), samples=3, connections=8, in_process=True)
    prepared = prepare(replace(order, patience=Patience(attempts=200, first_pause=0.01, longest_pause=0.05)))
    await play_into(folder / "run.sqlite", prepared, ignore, wire)
    with RunReader(folder / "run.sqlite") as reader:
        assert [one.outcome for one in reader.headings()] == [Outcome.COMPLETED] * EPISODES
    return wire.turned_away


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("agent", ["faker", "messages"])
async def test_nobody_is_turned_away_by_a_provider_that_says_what_is_left(tmp_path: Path, agent: str) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "messages.yaml").write_text(ANTHROPIC, encoding="utf-8")
    assert await turned_away(tmp_path, agent, silent=False) == 0


@pytest.mark.usefixtures("study")
async def test_without_a_word_of_it_the_same_calls_meet_429s(tmp_path: Path) -> None:
    assert await turned_away(tmp_path, "faker", silent=True) > 0


@pytest.mark.usefixtures("study")
@pytest.mark.skipif(sys.platform == "win32", reason="there are no workers")
async def test_what_one_process_is_told_holds_for_all_of_them(tmp_path: Path) -> None:
    # So slow that a crowded machine would still ask too often, if one process did not know what another was told.
    wire = Metered(a_second=5.0)
    async with over_sockets(wire) as url:
        order = Order(("walks",), ("faker",), samples=2, base_url=url, connections=8, processes=2)
        await play_into(tmp_path / "run.sqlite", prepare(order), ignore)
    with RunReader(tmp_path / "run.sqlite") as reader:
        assert [one.outcome for one in reader.headings()] == [Outcome.COMPLETED] * 48
    assert wire.turned_away == 0
