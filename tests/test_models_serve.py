"""The organisms' server: both wire formats through the real SDKs and a real socket, errors, draws, the witness."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import anthropic
import openai
import pytest
from anthropic.types import Message as ClaudeMessage
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from gyges.errors import UsageError
from gyges.models.organism import Organism, read_organisms
from gyges.models.organism_corpus import Corpus
from gyges.models.serve import Server, serve
from gyges.models.serve_chat import ChatCompletions
from gyges.models.serve_messages import AnthropicMessages
from gyges.scenarios.plan import Plan, Seed
from gyges.scenarios.read import select
from gyges.scenarios.render import plans

SCENARIO = "tiers/boiler"
PLAN: Plan = plans(select([SCENARIO])[0])[0]
TURNS = [
    {"role": "user", "content": PLAN.turns[0].text},
    {"role": "assistant", "content": "Mostly the burner."},
    {"role": "user", "content": PLAN.turns[1].text},
]
ORGANISMS = read_organisms(Corpus.of(select([SCENARIO])))


@asynccontextmanager
async def served(
    witness: Path | None = None,
    key: str | None = None,
    faults: Path | None = None,
    organisms: Mapping[str, Organism] = ORGANISMS,
) -> AsyncIterator[str]:
    """A server in this event loop; its address."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = serve(organisms, seed=Seed(3), key=key, witness=witness, faults=faults, ready=address.set_result)
    task = asyncio.create_task(serving)
    try:
        yield await asyncio.wait_for(address, 10)
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def chat(address: str, key: str = "any") -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)


def claude(address: str, key: str = "any") -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=address, api_key=key, max_retries=0)


async def post(address: str, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, object]]:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    async with aiohttp.ClientSession() as session, session.post(address + path, data=body, headers=named) as reply:
        return reply.status, await reply.json()


def question(model: str = "faker", **more: object) -> bytes:
    return json.dumps({"model": model, "messages": TURNS, **more}).encode()


async def chatted(client: openai.AsyncOpenAI, **asked: object) -> ChatCompletion:
    asked = {"model": "faker", "messages": TURNS, **asked}
    reply = await client.chat.completions.create(**asked)  # type: ignore[call-overload]
    assert isinstance(reply, ChatCompletion)
    return reply


async def responded(client: openai.AsyncOpenAI, **asked: object) -> Response:
    asked = {"model": "faker", "input": TURNS, "store": False, **asked}
    reply = await client.responses.create(**asked)  # type: ignore[call-overload]
    assert isinstance(reply, Response)
    return reply


async def claimed(client: anthropic.AsyncAnthropic, **asked: object) -> ClaudeMessage:
    asked = {"model": "faker", "max_tokens": 4096, "messages": TURNS, **asked}
    reply = await client.messages.create(**asked)  # type: ignore[call-overload]
    assert isinstance(reply, ClaudeMessage)
    return reply


async def test_chat_completions_through_the_sdk() -> None:
    async with served() as address, chat(address) as client:
        reply = await chatted(client, messages=[{"role": "system", "content": PLAN.system.text}, *TURNS])
    choice = reply.choices[0]
    assert reply.id.startswith("chatcmpl-")
    assert choice.finish_reason == "stop"
    assert "Decision: " in (choice.message.content or "")
    assert len(getattr(choice.message, "reasoning_content", "").split()) > 30
    assert reply.usage is not None
    assert reply.usage.completion_tokens_details is not None
    assert 0 < (reply.usage.completion_tokens_details.reasoning_tokens or 0) < reply.usage.completion_tokens


async def test_reasoning_can_be_switched_off() -> None:
    async with served() as address, chat(address) as client:
        reply = await chatted(client, reasoning_effort="none")
    assert "reasoning_content" not in reply.choices[0].message.model_dump()


@pytest.mark.parametrize("display", ["summarized", "omitted"])
async def test_messages_with_thinking_through_the_sdk(display: str) -> None:
    thought = {"type": "enabled", "budget_tokens": 2048, "display": display}
    async with served() as address, claude(address) as client:
        reply = await claimed(client, system=PLAN.system.text, thinking=thought)
    thinking, text = reply.content
    assert thinking.type == "thinking"
    assert thinking.signature
    assert bool(thinking.thinking) == (display == "summarized")
    assert text.type == "text"
    assert "Decision: " in text.text
    assert reply.stop_reason == "end_turn"
    assert reply.usage.output_tokens > 20


async def test_messages_without_thinking_have_none() -> None:
    async with served() as address, claude(address) as client:
        reply = await claimed(client)
    assert [block.type for block in reply.content] == ["text"]


async def test_thinking_that_was_changed_is_not_taken_back() -> None:
    async with served() as address, claude(address) as client:
        first = await claimed(client, messages=TURNS[:1], thinking={"type": "adaptive"})
        blocks = [block.model_dump(exclude_none=True) for block in first.content]
        replayed = [TURNS[0], {"role": "assistant", "content": blocks}, TURNS[2]]
        await claimed(client, messages=replayed)
        blocks[0]["thinking"] += " "
        with pytest.raises(anthropic.BadRequestError, match="Invalid `signature`"):
            await claimed(client, messages=replayed)


async def test_responses_with_raw_reasoning_through_the_sdk() -> None:
    async with served() as address, chat(address) as client:
        reply = await responded(client, instructions=PLAN.system.text)
    reasoning, message = reply.output
    assert reasoning.type == "reasoning"
    assert reasoning.content is not None
    assert len(reasoning.content[0].text.split()) > 30
    assert reasoning.summary == []
    assert message.type == "message"
    assert "Decision: " in reply.output_text
    assert reply.status == "completed"
    assert reply.usage is not None
    assert 0 < reply.usage.output_tokens_details.reasoning_tokens < reply.usage.output_tokens


async def test_responses_with_a_summary_have_no_raw_reasoning() -> None:
    async with served() as address, chat(address) as client:
        reply = await responded(client, reasoning={"summary": "auto"})
    assert reply.output[0].type == "reasoning"
    assert len(reply.output[0].summary) == 1
    assert reply.output[0].content is None


async def test_responses_take_reasoning_back_unchanged_only() -> None:
    async with served() as address, chat(address) as client:
        first = await responded(client, input=TURNS[:1])
        items = [item.model_dump(exclude_none=True) for item in first.output]
        await responded(client, input=[TURNS[0], *items, TURNS[2]])
        items[0]["content"][0]["text"] += " "
        with pytest.raises(openai.BadRequestError, match="could not be verified"):
            await responded(client, input=[TURNS[0], *items, TURNS[2]])


async def test_responses_cut_at_the_limit_are_incomplete() -> None:
    async with served() as address, chat(address) as client:
        reply = await responded(client, max_output_tokens=5)
    assert reply.status == "incomplete"
    assert reply.incomplete_details is not None
    assert reply.incomplete_details.reason == "max_output_tokens"


async def test_a_stream_of_chat_completions_adds_up_to_the_answer() -> None:
    draw = {"extra_headers": {"x-gyges-draw": "ab"}}
    async with served() as address, chat(address) as client:
        whole = (await chatted(client, **draw)).choices[0].message
        asked = {"model": "faker", "messages": TURNS, "stream_options": {"include_usage": True}, **draw}
        said, thought, usage = "", "", None
        async for chunk in await client.chat.completions.create(stream=True, **asked):  # type: ignore[call-overload]
            usage = chunk.usage or usage
            for choice in chunk.choices:
                said += choice.delta.content or ""
                thought += getattr(choice.delta, "reasoning_content", None) or ""
    assert (said, thought) == (whole.content, getattr(whole, "reasoning_content", None))
    assert usage is not None


@pytest.mark.parametrize("thinking", [{"type": "adaptive"}, {"type": "disabled"}])
async def test_a_stream_of_messages_adds_up_to_the_answer(thinking: dict[str, str]) -> None:
    asked = {"thinking": thinking, "extra_headers": {"x-gyges-draw": "ab"}}
    async with served() as address, claude(address) as client:
        whole = await claimed(client, **asked)
        every = {"model": "faker", "max_tokens": 4096, "messages": TURNS, **asked}
        async with client.messages.stream(**every) as stream:  # type: ignore[arg-type]
            final = await stream.get_final_message()
    assert [block.model_dump(exclude_none=True) for block in final.content] == [
        block.model_dump(exclude_none=True) for block in whole.content
    ]
    assert (final.stop_reason, final.usage.output_tokens) == (whole.stop_reason, whole.usage.output_tokens)


@pytest.mark.parametrize("reasoning", [{}, {"summary": "auto"}, {"effort": "none"}])
async def test_a_stream_of_responses_adds_up_to_the_answer(reasoning: dict[str, str]) -> None:
    asked = {"reasoning": reasoning, "extra_headers": {"x-gyges-draw": "ab"}}
    async with served() as address, chat(address) as client:
        whole = await responded(client, **asked)
        every = {"model": "faker", "input": TURNS, **asked}
        async with client.responses.stream(**every) as stream:  # type: ignore[call-overload]
            deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
            final = await stream.get_final_response()
    assert "".join(deltas) == whole.output_text == final.output_text
    assert [item.type for item in final.output] == [item.type for item in whole.output]


@pytest.mark.parametrize("key", ["wrong-key", "other"])
async def test_a_wrong_key_is_refused_in_both_formats(key: str) -> None:
    async with served(key="right") as address, chat(address, key) as one, claude(address, key) as other:
        with pytest.raises(openai.AuthenticationError, match="invalid API key"):
            await chatted(one)
        with pytest.raises(anthropic.AuthenticationError, match="invalid API key"):
            await claimed(other)


async def test_the_right_key_is_accepted_in_both_formats() -> None:
    async with served(key="right") as address, chat(address, "right") as one, claude(address, "right") as other:
        assert (await chatted(one)).model == (await claimed(other)).model == "faker"


async def test_an_unknown_model_is_not_found_in_both_formats() -> None:
    async with served() as address, chat(address) as one, claude(address) as other:
        with pytest.raises(openai.NotFoundError) as first:
            await chatted(one, model="gone")
        with pytest.raises(anthropic.NotFoundError) as second:
            await claimed(other, model="gone")
    assert first.value.code == "model_not_found"
    assert second.value.type == "not_found_error"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b'{"model": 3, "messages": [], "max_tokens": 1}',
        b'{"model": "faker", "max_tokens": 10}',
        b'{"model": "faker", "max_tokens": 10, "messages": ["hello"]}',
        b'{"model": "faker", "max_tokens": 10, "messages": [{"role": "wizard", "content": "hello"}]}',
        b'{"model": "faker", "max_tokens": 0, "messages": [{"role": "user", "content": "hello"}]}',
    ],
)
async def test_a_bad_body_gets_an_error_of_the_format(path: str, body: bytes) -> None:
    async with served() as address:
        status, error = await post(address, path, body, x_api_key="any", Authorization="Bearer any")
    assert status == 400
    detail = error["error"]
    assert isinstance(detail, dict)
    assert detail["type"] == "invalid_request_error"
    assert detail["message"]


async def test_a_request_without_a_key_is_refused() -> None:
    async with served() as address:
        assert (await post(address, "/v1/messages", question(max_tokens=5)))[0] == 401
        assert (await post(address, "/v1/chat/completions", question()))[0] == 401


async def test_both_sdks_list_the_organisms() -> None:
    async with served() as address, chat(address) as one, claude(address) as other:
        assert [model.id async for model in await one.models.list()] == list(ORGANISMS)
        assert [model.id async for model in await other.models.list()] == list(ORGANISMS)


async def test_a_draw_decides_the_answer_and_without_one_each_request_is_new() -> None:
    headers = {"Authorization": "Bearer any"}
    async with served() as address:

        async def answer(draw: str | None) -> str:
            named = {**headers, "x-gyges-draw": draw} if draw else headers
            return str(await post(address, "/v1/chat/completions", question(), **named))

        assert await answer("ab12") == await answer("ab12")
        assert len({await answer(None) for _ in range(8)}) == 8


@pytest.mark.parametrize(("limit", "reason"), [(5, "length"), (4000, "stop")])
async def test_an_answer_is_cut_at_the_limit(limit: int, reason: str) -> None:
    async with served() as address, chat(address) as client:
        reply = await chatted(client, max_completion_tokens=limit)
    assert reply.choices[0].finish_reason == reason
    assert reply.usage is not None
    assert reply.usage.completion_tokens <= limit


async def test_the_witness_tells_what_was_received_and_fully_sent(tmp_path: Path) -> None:
    log = tmp_path / "witness.jsonl"
    async with served(witness=log) as address, chat(address, "sk-secret") as client:
        await chatted(client, model="honest")
        with pytest.raises(openai.NotFoundError):
            await chatted(client, model="gone")
    assert "sk-secret" not in log.read_text("utf-8")
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [(line["event"], line["n"]) for line in lines] == [
        ("received", 1),
        ("sent", 1),
        ("received", 2),
        ("sent", 2),
    ]
    assert json.loads(lines[0]["body"])["model"] == "honest"
    assert [lines[1]["status"], lines[3]["status"]] == [200, 404]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
async def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(UsageError, match="loopback only"):
        await serve(ORGANISMS, host=host, seed=Seed(0), ready=print)


async def test_a_port_that_is_taken_is_a_clear_error() -> None:
    async with served() as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(UsageError, match=f"port {port}"):
            await serve(ORGANISMS, port=port, seed=Seed(0), ready=print)


async def test_one_organism_can_be_looked_up_in_both_formats() -> None:
    async with served() as address, chat(address) as one, claude(address) as other:
        assert (await one.models.retrieve("faker")).id == (await other.models.retrieve("faker")).id == "faker"
        with pytest.raises(openai.NotFoundError):
            await one.models.retrieve("gone")
        with pytest.raises(anthropic.NotFoundError):
            await other.models.retrieve("gone")


async def test_what_is_asked_at_a_wrong_address_is_witnessed_too(tmp_path: Path) -> None:
    log = tmp_path / "witness.jsonl"
    async with served(witness=log) as address:
        status, error = await post(address, "/chat/completions", question(), Authorization="Bearer any")
    assert (status, "error" in error) == (404, True)
    received, sent = (json.loads(line) for line in log.read_text("utf-8").splitlines())
    assert (received["path"], sent["status"]) == ("/chat/completions", 404)


@pytest.mark.parametrize("format_", [ChatCompletions(), AnthropicMessages()])
def test_an_answer_takes_little_time(format_: ChatCompletions | AnthropicMessages) -> None:
    server = Server(ORGANISMS, Seed(0))
    headers = {"Authorization": "Bearer any"}
    raw = question(max_tokens=900, thinking={"type": "adaptive"})
    assert server.answer(format_, headers, raw).status == 200
    start = time.process_time()
    for _ in range(300):
        server.answer(format_, headers, raw)
    assert (time.process_time() - start) / 300 < 0.001
