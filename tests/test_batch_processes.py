"""Several processes play one run: the same transcripts, one pace, and nothing lost with one that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web

from gyges.batch.ledger import Ledger
from gyges.batch.order import Order, limited, prepare, prepare_again
from gyges.batch.process_crew import Crew, Worker
from gyges.batch.process_messages import Start
from gyges.batch.process_pipe import Pipe
from gyges.batch.run import play_into, play_rest
from gyges.batch.spending import Allowance
from gyges.errors import AuthenticationError, GygesError, LimitReached
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, EpisodeKey, Message
from tests.test_batch_run import ignore, order, organisms, witnessed

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc")


def workers(parent: int) -> list[int]:
    """The worker processes that a process has started."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words, about = (folder / "cmdline").read_bytes(), (folder / "stat").read_text()
            except OSError:
                continue
            # The name, which may hold anything, stands in brackets; the state and the parent come after it.
            if b"gyges.batch.process_worker" in words and int(about.rpartition(")")[2].split()[1]) == parent:
                found.append(int(folder.name))
    return found


def alive(processes: Iterable[int]) -> list[int]:
    return [one for one in processes if Path(f"/proc/{one}").is_dir()]


Said = dict[EpisodeKey, tuple[tuple[Message, ...], list[tuple[bytes, bytes | None]]]]


def said(path: Path) -> Said:
    """Of each episode its messages, and the bytes of its answered calls."""
    with RunReader(path) as reader:
        return {
            one.key: (one.messages, [(c.request, c.response) for c in reader.calls(one.key.id()) if not c.error])
            for one in reader.episodes()
        }


@pytest.mark.usefixtures("study")
async def test_two_processes_write_what_one_writes_also_when_one_of_them_is_killed(tmp_path: Path) -> None:
    log, killed = tmp_path / "witness.jsonl", list[int]()

    def kill_one(_: Episode) -> None:
        if not killed:
            killed.append(workers(os.getpid())[0])
            os.kill(killed[0], signal.SIGKILL)

    async with organisms(log) as url:
        prepared = prepare(order(url, "noisy", samples=3))
        await play_into(tmp_path / "one.sqlite", prepared, ignore)
        one = sum(witnessed(log, "received").values())
        await play_into(
            tmp_path / "two.sqlite", limited(prepared, prepared.order.limits(), Allowance(), 2), kill_one
        )
        two = sum(witnessed(log, "received").values()) - one
    assert killed
    assert said(tmp_path / "one.sqlite") == said(tmp_path / "two.sqlite")
    # Only what the killed worker had in flight is asked again.
    assert one <= two <= one + prepared.order.connections
    assert workers(os.getpid()) == []


ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "model": "mock",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Decision: go"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}


@asynccontextmanager
async def counting(status: int = 200) -> AsyncIterator[tuple[str, list[int]]]:
    """A slow server's address, and how many requests it had at once, request by request."""
    at_once: list[int] = []
    now = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal now
        now += 1
        at_once.append(now)
        await asyncio.sleep(0.05)
        now -= 1
        return web.json_response(ANSWER, status=status)

    app = web.Application()
    app.router.add_post("/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", at_once
    finally:
        await runner.cleanup()


def asking(url: str, **settings: object) -> Order:
    found = Order(("walks",), ("vllm/mock",), samples=2, base_url=url, connections=8, processes=2)
    return replace(found, **settings)  # type: ignore[arg-type]


async def test_every_worker_is_waited_for_though_the_first_that_ends_strikes_all_off_the_list() -> None:
    crew = Crew([], cast(Ledger, None), cast(Start, None), lambda _: {})
    pipe = SimpleNamespace(close=lambda: None)
    waited = []

    class Ending:
        stdin = None

        async def wait(self) -> int:
            crew._workers.clear()
            await asyncio.sleep(0)
            waited.append(self)
            return 0

    for _ in range(3):
        crew._workers.append(Worker(cast(asyncio.subprocess.Process, Ending()), cast(Pipe, pipe)))
    await crew.dismiss()
    assert len(waited) == 3


@pytest.mark.usefixtures("study")
async def test_limits_are_those_of_all_processes_together(tmp_path: Path) -> None:
    async with counting() as (url, at_once):
        prepared = prepare(asking(url, connections=3, allowance=Allowance(calls=30)))
        with pytest.raises(LimitReached, match="--call-budget 30"):
            await play_into(tmp_path / "run.sqlite", prepared, ignore)
    assert len(at_once) == 30
    assert max(at_once) == 3


@pytest.mark.full
@pytest.mark.usefixtures("study")
async def test_what_stops_a_run_stops_it_from_any_process(tmp_path: Path) -> None:
    async with counting(401) as (url, _):
        with pytest.raises(AuthenticationError):
            await play_into(tmp_path / "run.sqlite", prepare(asking(url)), ignore)
    assert not (tmp_path / "run.sqlite").exists()
    assert workers(os.getpid()) == []


GRAPH = """\
import os
from langgraph.graph import END, START, StateGraph
from gyges.agents.episode import EpisodeContext, EpisodeState

def turn(state: EpisodeState) -> EpisodeState:
    os._exit(7)

graph = StateGraph(EpisodeState, context_schema=EpisodeContext).add_node("turn", turn)
graph = graph.add_edge(START, "turn").add_edge("turn", END).compile()
"""


def write_mortal() -> None:
    """An agent whose graph ends its process."""
    Path("agents/graphs").mkdir(parents=True, exist_ok=True)
    Path("agents/graphs/dies.py").write_text(GRAPH, encoding="utf-8")
    Path("agents/mortal.yaml").write_text("model: vllm/mock\ngraph: graphs/dies.py:graph\n", encoding="utf-8")


@pytest.mark.full
@pytest.mark.usefixtures("study")
async def test_workers_that_die_again_and_again_end_the_run_and_say_so(tmp_path: Path) -> None:
    write_mortal()
    prepared = prepare(asking("http://127.0.0.1:9/v1", agents=("mortal",)))
    with pytest.raises(GygesError, match="exit code 7"):
        await play_into(tmp_path / "run.sqlite", prepared, ignore)


def only_run() -> Path:
    (path,) = Path("transcripts").glob("*.sqlite")
    return path


@pytest.mark.full
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.usefixtures("study")
async def test_workers_end_with_their_run_and_nothing_acknowledged_is_lost(tmp_path: Path, end: int) -> None:
    log = tmp_path / "witness.jsonl"
    async with organisms(log) as url:
        words = f"run walks --agent noisy --samples 40 --base-url {url} --processes 2 --max-connections 8".split()
        played = await asyncio.create_subprocess_exec(sys.executable, "-m", "gyges", *words)
        while not log.exists() or sum(witnessed(log, "received").values()) < 100:
            assert played.returncode is None
            await asyncio.sleep(0.1)
        started = workers(played.pid)
        played.send_signal(end)
        await played.wait()
        late = time.monotonic() + 5
        while alive(started) and time.monotonic() < late:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        assert len(started) == 2
        assert alive(started) == []
        path = only_run()
        kept, asked = said(path), sum(witnessed(log, "received").values())
        with RunReader(path) as reader:
            prepared, answers, open_ = prepare_again(reader.manifest), reader.answers(), len(reader.in_flight())
        assert asked <= answers + open_
        await play_rest(path, limited(prepared, prepared.order.limits(), Allowance(), 2), ignore)
    planned = sum(prepared.planned().values())
    whole = said(path)
    assert len(whole) == planned
    assert all(whole[key] == one for key, one in kept.items())
    assert sum(witnessed(log, "received").values()) <= planned + open_
