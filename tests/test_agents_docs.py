"""What docs/agents.md shows can be played as it stands."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gyges.agents.episode import play
from gyges.agents.graphs import load_graph
from gyges.agents.intervene import NAMES
from gyges.agents.profile import load_profile
from gyges.agents.tools import load_tools
from gyges.batch.fork import ForkOrder, prepare_forks
from gyges.batch.fork_play import play_forks
from gyges.batch.order import Order, prepare
from gyges.batch.run import play_into
from gyges.models.organism import read_organisms
from gyges.models.organism_corpus import Corpus
from gyges.models.serve import serve
from gyges.scenarios.plan import Seed
from gyges.scenarios.read import select
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Outcome, ToolCall, Visibility
from tests.conftest import Study
from tests.scripted import PLAN, Scripted, reply

PAGE = (Path(__file__).parent.parent / "docs" / "agents.md").read_text(encoding="utf-8")
NAMED = dict(re.findall(r"`agents/([\w./]+)`:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL))
"""Each file that the page shows."""

with_langchain = pytest.mark.skipif(
    importlib.util.find_spec("langchain") is None, reason="langchain is not installed"
)


def test_every_block_of_the_page_is_a_file_of_it() -> None:
    assert len(NAMED) + 1 == len(re.findall(r"```(?:yaml|python)\n", PAGE)) == 11


@pytest.fixture
def page(study: Study) -> Path:
    """The page's files in a study, for the organism `faker` as the model. Returns the folder of agents."""
    folder = study.root / "agents"
    for name, text in NAMED.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("MODEL", "faker"), encoding="utf-8")
    (prices,) = re.findall(r"```yaml\n(prices:.*?)```", PAGE, re.DOTALL)
    (study.root / "prices.yaml").write_text(prices.replace("MODEL", "faker"), encoding="utf-8")
    return folder


@asynccontextmanager
async def organisms() -> AsyncIterator[str]:
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    known = read_organisms(Corpus.of(select(["walks"])), Seed(1))
    task = asyncio.create_task(serve(known, port=0, seed=Seed(1), ready=address.set_result))
    try:
        yield await asyncio.wait_for(address, 20)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def played(page: Path, agent: str) -> list[Episode]:
    """What became of the agent's episodes, played against organisms on loopback."""
    run = page.parent / "run.sqlite"
    async with organisms() as url:
        order = Order(("walks",), (agent,), base_url=f"{url}/v1", connections=8)
        await play_into(run, prepare(order), lambda _: None)
    with RunReader(run) as reader:
        return list(reader.episodes())


@pytest.mark.parametrize(
    "agent", ["hosted", "local", "gardener", "own", pytest.param("clerk", marks=with_langchain)]
)
async def test_an_agent_of_the_page_plays_and_its_reasoning_is_kept(
    page: Path, monkeypatch: pytest.MonkeyPatch, agent: str
) -> None:
    for service in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{service}_API_KEY", "key-of-a-test")
    episodes = await played(page, agent)
    assert len(episodes) == 12 * 2
    assert {(episode.outcome, episode.reason) for episode in episodes} == {(Outcome.COMPLETED, "")}
    for episode in episodes:
        answer = episode.messages[-1]
        assert "Decision:" in answer.text
        assert Visibility.RAW in {piece.visibility for piece in answer.reasoning}


async def test_the_server_of_the_page_goes_on_from_reasoning_that_the_paraphraser_of_the_page_rewrote(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
    run, forks = page.parent / "transcripts" / "run.sqlite", page.parent / "transcripts" / "forks.sqlite"
    async with organisms() as url:
        rewriter = page / "rewriter.yaml"
        rewriter.write_text(f"{rewriter.read_text(encoding='utf-8')}base_url: {url}/v1\n", encoding="utf-8")
        order = Order(("walks/walk-01", "walks/walk-02"), ("local",), base_url=f"{url}/v1")
        await play_into(run, prepare(order), lambda _: None)
        names = ("unchanged", "removed", "paraphrased")
        wanted = ForkOrder("run", "intervention", names, ("last",), paraphraser="rewriter")
        await play_forks(forks, prepare_forks(wanted), lambda _: None, new=True)
    with RunReader(forks) as reader:
        found = list(reader.episodes())
    assert len(found) == 2 * 2 * 3
    assert {(episode.outcome, episode.reason) for episode in found} == {(Outcome.COMPLETED, "")}
    assert all(episode.messages[-1].reasoning[0].source == "given" for episode in found)


def test_the_page_names_every_intervention() -> None:
    assert set(re.findall(r"^\| `([a-z][a-z-]*)(?::[\d.]+)?` \|", PAGE, re.MULTILINE)) == set(NAMES)


async def test_what_the_graph_of_the_page_keeps_to_itself_is_reasoning(page: Path) -> None:
    model = Scripted(*(reply(text) for text in ("It is a greeting.", "Hello.", "It is impatience.", "Now.")))
    result = await play(load_graph(str(page / "own.py") + ":graph"), PLAN, model)
    assert [message.text for message in result.messages if message.role == "assistant"] == ["Hello.", "Now."]
    assert ("graph:unsaid", "It is a greeting.") in {(p.source, p.text) for p in result.messages[-3].reasoning}


@pytest.mark.usefixtures("page")
async def test_the_tool_of_the_page_works() -> None:
    profile = load_profile("gardener")
    bench = load_tools(profile.tools, profile.state).open()
    message = await bench.answer(ToolCall("c", "water", '{"plant": "fern"}'))
    assert (message.text, bench.state) == ("fern has had 1 litres", {"watered": ["fern"]})


@with_langchain
async def test_the_agent_of_langchains_calls_its_tools_and_its_reasoning_is_kept(page: Path) -> None:
    call = ToolCall("c1", "opening_hours", '{"day": "Sunday"}')
    model = Scripted(
        reply("", call, thought="Which day?"), reply("Closed.", thought="So."), reply("Still closed.")
    )
    result = await play(load_graph(str(page / "clerk.py") + ":graph"), PLAN, model)
    assert (result.outcome, result.reason) == (Outcome.COMPLETED, "")
    asked, answered, said = result.messages[2:5]
    assert (asked.calls, asked.reasoning[0].text) == ((call,), "Which day?")
    assert (answered.text, said.text, said.reasoning[0].text) == ("closed", "Closed.", "So.")
    assert [tool.name for tool in model.offered[0]] == ["opening_hours"]
    assert result.messages[1].signal == ((0, 17),)
