"""Simulated tools: what a call does wrong the model is told, and no episode sees another one's state."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from aiohttp import web

from gyges.agents import tools as tools_module
from gyges.agents.episode import Played, play
from gyges.agents.graphs import load_graph
from gyges.agents.tools import SimulatedTool, Toolbox, load_tools, simulated
from gyges.batch.order import Order, prepare
from gyges.batch.run import play_into, play_rest
from gyges.errors import AuthoringError, UsageError
from gyges.models.provider import Provider, Reply, Sampling, Tool
from gyges.models.registry import provider
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Message, Outcome, ToolCall
from tests.conftest import Study
from tests.scripted import PLAN, Scripted, reply


def add(state: dict[str, Any], number: int, word: Literal["a", "b"] = "a") -> dict[str, Any]:
    """Add a number to the list."""
    state.setdefault("numbers", []).append([number, word])
    return state


def half(state: dict[str, Any]) -> str:
    """Do half of it."""
    state["half"] = True
    raise LookupError("nothing there")


def hang(state: dict[str, Any]) -> str:
    """Take for ever."""
    time.sleep(1.0)
    state["late"] = True
    return "done"


def much(state: dict[str, Any]) -> str:
    """Say a lot."""
    return "x" * len(state) + "x" * 10_000_000


def raw(state: dict[str, Any]) -> bytes:
    """Say it in bytes."""
    return bytes(len(state))


def nan(state: dict[str, Any]) -> float:
    """Say no number."""
    return float("nan") * len(state)


HERE = Path(__file__)
BOX = Toolbox({f.__name__: simulated(f, HERE) for f in (add, half, hang, much, raw, nan)}, {})


async def said(name: str, arguments: str, box: Toolbox = BOX) -> tuple[str, bool, dict[str, Any]]:
    bench = box.open()
    message = await bench.answer(ToolCall("c", name, arguments))
    assert message.result is not None
    assert message.result.call == "c"
    return message.text, message.result.failed, bench.state


async def test_a_tool_works_on_the_episodes_state_and_answers_in_json() -> None:
    text, failed, state = await said("add", '{"number": 7}')
    assert (json.loads(text), failed) == ({"numbers": [[7, "a"]]}, False)
    assert state == {"numbers": [[7, "a"]]}


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("add", "", "no JSON"),
        ("add", '{"number": 7}"', "no JSON"),
        ("add", '{"number": 7', "no JSON"),
        ("add", '{"number": NaN}', "no JSON"),
        ("add", "[7]", "a JSON list"),
        ("add", "{}", "number: field required"),
        ("add", '{"number": "7"}', "number: input should be a valid integer"),
        ("add", '{"number": true}', "number: input should be a valid integer"),
        ("add", '{"number": 7, "word": "c"}', "word: input should be 'a' or 'b'"),
        ("add", '{"number": 7, "more": 1}', "more: extra inputs are not permitted"),
        ("add", '{"number": 7, "__proto__": {}}', "__proto__: extra inputs are not permitted"),
        ("add", '{"number": 7, "state": {}}', "state: extra inputs are not permitted"),
        ("ADD", '{"number": 7}', "there is no tool 'ADD'"),
        ("subtract", "{}", "there is no tool 'subtract'"),
        ("", "{}", "there is no tool ''"),
        ("half", "{}", "LookupError: nothing there"),
        ("much", "{}", "10,000,000 characters"),
        ("raw", "{}", "a bytes, which can't be sent"),
        ("nan", "{}", "a float, which can't be sent"),
    ],
)
async def test_what_is_wrong_with_a_call_is_told_and_nothing_is_changed(
    name: str, arguments: str, says: str
) -> None:
    text, failed, state = await said(name, arguments)
    assert failed
    assert text.startswith("Error: ")
    assert says in text
    assert state == {}


async def test_a_tool_that_hangs_is_given_up_and_changes_nothing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools_module, "SECONDS", 0.05)
    bench = BOX.open()
    started = time.monotonic()
    message = await bench.answer(ToolCall("c", "hang", "{}"))
    assert time.monotonic() - started < 0.9
    assert message.text == "Error: the tool did not answer within 0.05 seconds"
    await asyncio.sleep(1.1)
    assert bench.state == {}


async def test_episodes_share_no_state() -> None:
    benches = [BOX.open() for _ in range(200)]
    calls = [ToolCall("c", "add", json.dumps({"number": number})) for number in range(200)]
    await asyncio.gather(*(bench.answer(call) for bench, call in zip(benches, calls, strict=True)))
    assert [bench.state for bench in benches] == [{"numbers": [[number, "a"]]} for number in range(200)]


def test_the_model_is_told_what_the_function_says() -> None:
    offer = BOX.tools["add"].offer
    assert (offer.name, offer.description) == ("add", "Add a number to the list.")
    properties = offer.parameters["properties"]
    assert isinstance(properties, dict)
    assert properties["number"]["type"] == "integer"
    assert properties["word"]["enum"] == ["a", "b"]
    assert offer.parameters["required"] == ["number"]
    assert offer.parameters["additionalProperties"] is False


# The graph


async def played(model: Any, *, steps: int = 50, box: Toolbox | None = BOX) -> Played:
    return await play(load_graph("graphs/tools.py:graph"), PLAN, model, steps=steps, seconds=30.0, toolbox=box)


def call(id: str, name: str = "add", arguments: str = '{"number": 7}') -> ToolCall:
    return ToolCall(id, name, arguments)


async def test_all_calls_of_an_answer_are_answered_in_order_before_the_model_goes_on() -> None:
    calls = [call(f"c{at}", arguments=json.dumps({"number": at})) for at in range(64)]
    calls[3] = call("c3", "nothing")
    model = Scripted(reply("Let me add.", *calls), reply("one"), reply("two"))
    result = await played(model)
    assert result.outcome is Outcome.COMPLETED
    assert [message.role for message in result.messages] == [
        "system",
        "user",
        "assistant",
        *["tool"] * 64,
        "assistant",
        "user",
        "assistant",
    ]
    results = [message.result for message in result.messages if message.result]
    assert [one.call for one in results] == [f"c{at}" for at in range(64)]
    assert [one.call for one in results if one.failed] == ["c3"]
    assert model.asked[1] == result.messages[:67]
    assert {tool.name for tool in model.offered[2]} == set(BOX.tools)


async def test_the_state_lasts_from_turn_to_turn() -> None:
    model = Scripted(reply("", call("a")), reply("one"), reply("", call("b")), reply("two"))
    result = await played(model)
    assert json.loads(result.messages[-2].text) == {"numbers": [[7, "a"], [7, "a"]]}


@pytest.mark.parametrize("calls", [["add"], ["add", "half"]], ids=["the same call", "two calls in turn"])
async def test_calls_without_end_stop_at_the_step_limit(calls: list[str]) -> None:
    answers = [reply("", call(f"c{at}", calls[at % len(calls)], "{}")) for at in range(50)]
    result = await played(Scripted(*answers))
    assert (result.outcome, result.reason) == (Outcome.STEP_LIMIT, "more than 50 steps")
    assert sum(message.role == "assistant" for message in result.messages) == 25


@pytest.mark.parametrize("outcome", [Outcome.REFUSED_BY_MODEL, Outcome.TRUNCATED, Outcome.FILTERED_BY_PROVIDER])
async def test_calls_of_an_answer_that_is_not_complete_are_kept_and_not_carried_out(outcome: Outcome) -> None:
    result = await played(Scripted(reply("I won't.", call("a"), outcome=outcome)))
    assert result.outcome is outcome
    assert (result.messages[-1].text, result.messages[-1].calls) == ("I won't.", (call("a"),))


async def test_a_call_without_any_tools_is_an_error() -> None:
    result = await played(Scripted(reply("", call("a"))), box=None)
    assert result.outcome is Outcome.ERRORED
    assert "the profile has none" in result.reason


# Over the wire


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A server that wants one file read before it answers, in both formats, and what it was asked."""
    asked: list[dict[str, Any]] = []

    def chat(body: dict[str, Any]) -> dict[str, Any]:
        if body["messages"][-1]["role"] == "tool":
            answer: dict[str, Any] = {"content": body["messages"][-1]["content"]}
        else:
            function = {"name": "read_file", "arguments": '{"name": "notes.txt"}'}
            answer = {"content": None, "reasoning_content": "Read it.", "tool_calls": [{"function": function}]}
        return {"choices": [{"message": answer, "finish_reason": "stop"}]}

    def messages(body: dict[str, Any]) -> dict[str, Any]:
        last = body["messages"][-1]["content"]
        if isinstance(last, list):
            content = [{"type": "text", "text": last[0]["content"]}]
        else:
            content = [
                {"type": "thinking", "thinking": "Read it.", "signature": "s"},
                {"type": "tool_use", "id": "t1", "name": "read_file", "input": {"name": "notes.txt"}},
            ]
        return {"type": "message", "content": content, "stop_reason": "end_turn"}

    async def handle(request: web.Request) -> web.Response:
        body = await request.json()
        asked.append(body)
        return web.json_response((chat if "completions" in request.path else messages)(body))

    app = web.Application()
    app.router.add_post("/{rest:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}/v1", asked
    await runner.cleanup()


class Wired:
    """Asks a real provider, once."""

    def __init__(self, made: Provider) -> None:
        self._made = made

    async def __call__(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Reply:
        body = self._made.request("m", messages, Sampling(), tools)
        return self._made.read(await self._made.send(body, {}))


@pytest.mark.parametrize("service", ["deepseek", "anthropic"])
async def test_a_file_is_read_over_the_wire(server: tuple[str, list[dict[str, Any]]], service: str) -> None:
    url, asked = server
    made, _ = provider(f"{service}/m", url, key="key-of-a-test")
    box = load_tools("tools/files.py:tools", {"files": {"notes.txt": "Buy milk."}})
    result = await played(Wired(made), box=box)
    await made.close()
    assert result.outcome is Outcome.COMPLETED
    assert [message.text for message in result.messages if message.role == "assistant"] == ["", "Buy milk."] * 2
    assert result.messages[2].reasoning[0].text == "Read it."
    back = json.dumps(asked[1]["messages"])
    assert '"reasoning_content": "Read it."' in back or '"thinking": "Read it.", "signature": "s"' in back


COUNTING = '''\
def read_file(state: dict, name: str) -> int:
    """Count how often it was read."""
    state["read"] += 1
    return state["read"]


tools = (read_file,)
'''

COUNTER = """\
model: vllm/m
graph: graphs/tools.py:graph
tools: counting.py:tools
state: {read: 0}
"""


class Stop(Exception):  # noqa: N818 - a test's way to break off
    """Raised in the middle of a run."""


async def test_in_a_resumed_run_no_answer_is_bought_and_no_tool_counted_twice(
    study: Study, server: tuple[str, list[dict[str, Any]]]
) -> None:
    (study.root / "agents").mkdir()
    (study.root / "agents" / "counting.py").write_text(COUNTING, encoding="utf-8")
    (study.root / "agents" / "counter.yaml").write_text(COUNTER, encoding="utf-8")
    url, asked = server
    run, prepared = (
        study.root / "run.sqlite",
        prepare(Order(("walks",), ("counter",), base_url=url, connections=4)),
    )

    def break_off(episode: Episode) -> None:
        assert episode.outcome is Outcome.COMPLETED
        if len(asked) > 20:
            raise Stop

    with pytest.raises(ExceptionGroup):
        await play_into(run, prepared, break_off)
    await play_rest(run, prepared, lambda _: None)
    with RunReader(run) as reader:
        episodes = list(reader.episodes())
        assert reader.answers() == 24 * 2
    assert [episode.messages[-1].text for episode in episodes] == ["1"] * 24
    assert 24 * 2 <= len(asked) <= 24 * 2 + 4


# Loading


def no_docstring(state: dict[str, Any]) -> str:
    return str(state)


def no_state(to: str) -> str:
    """Send."""
    return to


def no_type(state: dict[str, Any], to) -> str:  # type: ignore[no-untyped-def]
    """Send."""
    return f"{state}{to}"


def odd_type(state: dict[str, Any], to: SimulatedTool) -> str:
    """Send."""
    return f"{state}{to}"


async def coroutine(state: dict[str, Any]) -> str:
    """Send."""
    return str(state)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (no_docstring, "no docstring"),
        (no_state, "is not `state`"),
        (no_type, "no types that JSON has"),
        (odd_type, "no types that JSON has"),
        (coroutine, "is a coroutine"),
    ],
)
def test_a_function_that_is_no_tool_is_refused_where_it_stands(function: Any, says: str) -> None:
    with pytest.raises(AuthoringError, match=says) as caught:
        simulated(function, HERE)
    assert caught.value.place.line == function.__code__.co_firstlineno


def test_names_that_hold_no_tools_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("tools = [print]\nnone = ()\n", encoding="utf-8")
    for name in ("tools", "none", "nothing"):
        with pytest.raises(AuthoringError, match="not a tuple of functions"):
            load_tools(f"{path}:{name}", {})
    with pytest.raises(UsageError, match=r"there is no tools/none\.py"):
        load_tools("tools/none.py:tools", {})


async def test_the_librarys_files_are_as_they_were_given() -> None:
    box = load_tools("tools/files.py:tools", {"files": {"a": "x"}})
    bench = box.open()
    calls = [
        ("write_file", '{"name": "b", "text": "y"}'),
        ("list_files", "{}"),
        ("read_file", '{"name": "b"}'),
        ("read_file", '{"name": "c"}'),
    ]
    answers = await bench.answers([ToolCall(f"c{at}", *one) for at, one in enumerate(calls)])
    assert [message.text for message in answers] == [
        "written",
        '["a", "b"]',
        "y",
        "Error: LookupError: no file 'c'",
    ]
    assert box.open().state == {"files": {"a": "x"}}
