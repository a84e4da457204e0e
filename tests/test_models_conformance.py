"""One suite for every provider's format, against the organisms' server: a real SDK, a real socket, strict replay.

A format is added to `FORMATS` when the server speaks it; the tests are the same for all.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from gyges.models.provider import CallFailed, Provider, Reply, Sampling, Trouble
from gyges.models.registry import provider
from gyges.transcripts.record import Message, Outcome, Visibility
from tests.test_models_serve import PLAN, served


@dataclass(frozen=True)
class Form:
    """A format as a model's name begins with it, and the path below the server's address."""

    service: str
    path: str
    stream: bool = False
    source: str = ""
    """Of the reasoning."""


FORMATS = [
    Form("openai", "/v1", source="field:reasoning_content"),
    Form("anthropic", "", source="anthropic.thinking"),
]

THINKING = Sampling(reasoning_effort="high")
ASKED = [Message("system", "You are a careful assistant."), Message("user", PLAN.turns[0].text)]


@pytest.fixture(params=FORMATS, ids=lambda form: f"{form.service}{'-stream' if form.stream else ''}")
def form(request: pytest.FixtureRequest) -> Form:
    assert isinstance(request.param, Form)
    return request.param


@asynccontextmanager
async def at(form: Form, address: str, model: str = "faker", key: str | None = None) -> AsyncIterator[Provider]:
    made, _ = provider(f"{form.service}/{model}", address + form.path, key=key, stream=form.stream, environment={})
    try:
        yield made
    finally:
        await made.close()


async def ask(
    made: Provider, messages: list[Message], sampling: Sampling = THINKING, model: str = "faker", **headers: str
) -> Reply:
    return made.read(await made.send(made.request(model, messages, sampling), headers))


async def test_an_answer_has_text_reasoning_counts_and_a_stop(form: Form) -> None:
    async with served() as address, at(form, address) as made:
        reply = await ask(made, ASKED)
    assert reply.message.text
    assert (reply.outcome, reply.reason) == (Outcome.COMPLETED, "")
    (piece,) = reply.message.reasoning
    assert (piece.visibility, piece.source) == (Visibility.RAW, form.source)
    assert piece.text
    assert reply.usage.input
    assert reply.usage.output
    assert piece.tokens == reply.usage.reasoning
    assert reply.model == "faker"
    assert reply.stop


async def test_a_second_turn_sends_back_what_the_server_signed(form: Form) -> None:
    async with served() as address, at(form, address) as made:
        first = await ask(made, ASKED)
        both = [*ASKED, first.message, Message("user", PLAN.turns[1].text)]
        second = await ask(made, both)
    assert second.outcome is Outcome.COMPLETED


async def test_the_witness_saw_the_bytes_that_were_built_and_sent_the_bytes_that_came(
    form: Form, tmp_path: Path
) -> None:
    file = tmp_path / "witness.jsonl"
    async with served(file) as address, at(form, address) as made:
        body = made.request("faker", [Message("user", "Grüße \ud800 \x00 👋")], THINKING)
        received = await made.send(body, {"x-gyges-draw": "0a"})
    told = {line["event"]: line["sha256"] for line in map(json.loads, file.read_text().splitlines())}
    assert told == {"received": sha256(body).hexdigest(), "sent": sha256(received.body).hexdigest()}


async def test_without_reasoning_its_absence_is_recorded(form: Form) -> None:
    async with served() as address, at(form, address) as made:
        reply = await ask(made, ASKED, Sampling(reasoning_effort="none"))
    assert [piece.visibility for piece in reply.message.reasoning] == [Visibility.ABSENT]


async def test_an_answer_that_is_cut_is_truncated(form: Form) -> None:
    async with served() as address, at(form, address) as made:
        reply = await ask(made, ASKED, Sampling(max_tokens=2, reasoning_effort="none"))
    assert reply.outcome is Outcome.TRUNCATED


async def test_equal_draws_give_equal_answers(form: Form) -> None:
    draw = {"x-gyges-draw": "abcdef"}
    async with served() as address, at(form, address) as made:
        one, other = [await ask(made, ASKED, THINKING, "faker", **draw) for _ in range(2)]
    assert one == other


async def test_a_wrong_key_stops_and_is_not_shown(form: Form) -> None:
    async with served(key="right-key-1234") as address, at(form, address, key="sk-wrong-5678") as made:
        with pytest.raises(CallFailed) as caught:
            await ask(made, ASKED)
    assert caught.value.trouble is Trouble.AUTHENTICATION
    assert caught.value.stops_the_run
    assert "sk-wrong-5678" not in str(caught.value)


async def test_an_unknown_model_is_rejected_in_the_servers_words(form: Form) -> None:
    async with served() as address, at(form, address) as made:
        with pytest.raises(CallFailed, match="404: model: nobody") as caught:
            await ask(made, ASKED, model="nobody")
    assert caught.value.trouble is Trouble.REJECTED
