"""Whole runs against organisms behind a real socket: what is stored, what a crash costs, what is asked again."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gyges.batch.order import Order, Prepared, prepare, prepare_again
from gyges.batch.run import play_into, play_rest
from gyges.errors import AuthenticationError, LimitReached, UsageError
from gyges.models.organism import read_organisms
from gyges.models.organism_corpus import Corpus
from gyges.models.serve import serve
from gyges.scenarios.plan import Seed
from gyges.scenarios.read import select
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Outcome
from tests.conftest import Study


@asynccontextmanager
async def organisms(witness: Path | None = None, key: str | None = None) -> AsyncIterator[str]:
    """The address of a server of organisms in this loop."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    known = read_organisms(Corpus.of(select(["walks"])), Seed(1))
    task = asyncio.create_task(
        serve(known, port=0, seed=Seed(1), key=key, witness=witness, ready=address.set_result)
    )
    try:
        # A server that fails to start must fail the test, not hang it.
        task.add_done_callback(lambda _: address.cancel())
        yield await address
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def order(url: str, *agents: str, samples: int = 2) -> Order:
    return Order(("walks",), agents or ("faker",), samples=samples, base_url=url, connections=8)


def ignore(episode: Episode) -> None:
    """What is done needs no showing here."""


def witnessed(log: Path, event: str) -> Counter[str]:
    """How often the server saw each body, by its hash."""
    lines = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    return Counter(line["sha256"] for line in lines if line["event"] == event)


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("agent", ["faker", "silent-faker", "noisy"])
async def test_what_was_sent_and_what_came_is_stored_byte_for_byte(tmp_path: Path, agent: str) -> None:
    log, path = tmp_path / "witness.jsonl", tmp_path / "run.sqlite"
    async with organisms(log) as url:
        await play_into(path, prepare(order(url, agent)), ignore)
    with RunReader(path) as reader:
        episodes = list(reader.episodes())
        calls = [call for episode in episodes for call in reader.calls(episode.key.id())]
    assert len(episodes) == len(calls) == 12 * 2 * 2
    assert {episode.outcome for episode in episodes} == {Outcome.COMPLETED}
    assert Counter(sha256(call.request) for call in calls) == witnessed(log, "received")
    assert Counter(sha256(call.response or b"") for call in calls) == witnessed(log, "sent")


class Stop(Exception):  # noqa: N818 - a test's way to break off
    """Raised in the middle of a run."""


@pytest.mark.usefixtures("study")
async def test_resuming_asks_only_for_what_was_not_answered(tmp_path: Path) -> None:
    log, path = tmp_path / "witness.jsonl", tmp_path / "run.sqlite"
    async with organisms(log) as url:
        prepared = prepare(order(url, "faker", "honest"))
        seen: list[Episode] = []

        def break_off(episode: Episode) -> None:
            seen.append(episode)
            if len(seen) == 20:
                raise Stop

        with pytest.raises(ExceptionGroup):
            await play_into(path, prepared, break_off)
        with RunReader(path) as reader:
            kept = {episode.key: episode for episode in reader.episodes()}
            again = prepare_again(reader.manifest)
        assert {episode.key for episode in seen} <= set(kept)
        await play_rest(path, again, ignore)
    planned = sum(prepared.planned().values())
    with RunReader(path) as reader:
        episodes = {episode.key: episode for episode in reader.episodes()}
        answers = reader.answers()
    assert len(episodes) == answers == planned
    assert all(episodes[key] == episode for key, episode in kept.items())
    received = sum(witnessed(log, "received").values())
    # A call in flight when the run broke off may have been received and is asked again; nothing else is.
    assert planned <= received <= planned + prepared.order.connections


HUNGRY = """\
from pathlib import Path

from langgraph.graph import END, START, StateGraph

from gyges.agents.episode import EpisodeContext, EpisodeState


async def turn(state, runtime):
    asked = runtime.context.next_turn(state["messages"])
    if Path("full").exists() and "number 5" in asked[-1].text:
        raise MemoryError
    return runtime.context.after(asked, await runtime.context.ask(asked))


graph = StateGraph(EpisodeState, context_schema=EpisodeContext)
graph = graph.add_node("turn", turn).add_edge(START, "turn").add_edge("turn", END).compile()
"""


async def test_a_run_without_memory_stops_keeps_what_it_has_and_is_finished_later(
    study: Study, tmp_path: Path
) -> None:
    (study.root / "agents" / "graphs").mkdir(parents=True)
    (study.root / "agents" / "graphs" / "hungry.py").write_text(HUNGRY, encoding="utf-8")
    (study.root / "agents" / "hungry.yaml").write_text(
        "model: organism/faker\ngraph: graphs/hungry.py:graph\n", encoding="utf-8"
    )
    full, path = study.root / "full", tmp_path / "run.sqlite"
    full.touch()
    async with organisms() as url:
        prepared = prepare(replace(order(url, "hungry"), connections=1))
        with pytest.raises(LimitReached, match=r"no memory left.*--max-connections"):
            await play_into(path, prepared, ignore)
        with RunReader(path) as reader:
            kept = list(reader.episodes())
        assert {one.outcome for one in kept} <= {Outcome.COMPLETED}
        full.unlink()
        await play_rest(path, prepared, ignore)
    with RunReader(path) as reader:
        found = list(reader.episodes())
    assert [one.outcome for one in found] == [Outcome.COMPLETED] * len(found)
    assert len(found) == sum(prepared.planned().values())
    assert [one for one in found if one.key in {each.key for each in kept}] == kept


@pytest.mark.usefixtures("study")
async def test_a_run_with_nothing_left_makes_no_call(tmp_path: Path) -> None:
    log, path = tmp_path / "witness.jsonl", tmp_path / "run.sqlite"
    async with organisms(log) as url:
        prepared = prepare(order(url))
        await play_into(path, prepared, ignore)
        before = witnessed(log, "received")
        await play_rest(path, prepared, ignore)
        assert witnessed(log, "received") == before


async def test_a_scenario_that_changed_can_not_be_resumed(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    async with organisms() as url:
        await play_into(path, prepare(order(url)), ignore)
    study.change("walk-04.yaml", "number 4?", "number four?")
    with RunReader(path) as reader, pytest.raises(UsageError, match="walks/walk-04"):
        prepare_again(reader.manifest)


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("agent", ["faker", "silent-faker"])
async def test_a_wrong_key_stops_the_run_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agent: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "wrong-key")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "wrong-key")
    path = tmp_path / "transcripts" / "run.sqlite"
    async with organisms() as url:
        with pytest.raises(AuthenticationError):
            await play_into(path, prepare(order(url, agent)), ignore)
    assert not list(path.parent.glob("*"))


def noise_of(prepared: Prepared, seed: int) -> Prepared:
    return replace(prepared, order=replace(prepared.order, seed=seed))


@pytest.mark.usefixtures("study")
async def test_the_same_seed_gives_the_same_answers_and_another_seed_others(tmp_path: Path) -> None:
    said = []
    async with organisms() as url:
        prepared = prepare(order(url, "noisy"))
        for number, seed in enumerate((5, 5, 6)):
            path = tmp_path / f"run-{number}.sqlite"
            await play_into(path, noise_of(prepared, seed), ignore)
            with RunReader(path) as reader:
                said.append({episode.key: episode.messages[-1].text for episode in reader.episodes()})
    assert said[0] == said[1]
    assert said[0] != said[2]


@pytest.mark.usefixtures("study")
def test_the_manifest_says_where_calls_go_also_where_the_environment_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def addresses() -> list[str]:
        order = Order(("walks",), ("openai/some-model", "faker"))
        return [agent.base_url for agent in prepare(order).manifest("r").agents]

    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert addresses() == ["https://api.openai.com/v1", ""]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://other.test/v1")
    assert addresses() == ["http://other.test/v1", ""]
