"""One suite for every provider's format, against the organisms' server: a real SDK, a real socket, strict replay.

A format is added to `FORMATS` when the server speaks it; the tests are the same for all, streaming and not.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from gyges.agents.world import WorldBench
from gyges.models.organism import read_organisms
from gyges.models.organism_corpus import Corpus
from gyges.models.provider import Begun, CallFailed, CannotContinue, Provider, Reply, Sampling, Tool, Trouble
from gyges.models.registry import provider
from gyges.models.tools import arguments
from gyges.scenarios.render import plans
from gyges.transcripts.record import Message, Outcome, Visibility
from tests.test_models_serve import PLAN, served
from tests.worlds import Depot, only

pytest_plugins = ["tests.depot"]


@dataclass(frozen=True)
class Form:
    """A format as a model's name begins with it, and the path below the server's address."""

    service: str
    path: str
    visibility: Visibility
    source: str
    """Of the reasoning."""
    signs: bool = False
    """Whether the reasoning is signed, and goes back as it came."""
    stream: bool = False

    @property
    def name(self) -> str:
        return f"{self.service}{'-stream' if self.stream else ''}"


WHOLE = [
    Form("openai", "/v1", Visibility.RAW, "field:reasoning_content"),
    Form("openai-responses", "/v1", Visibility.SUMMARY, "openai.summary", signs=True),
    Form("anthropic", "", Visibility.RAW, "anthropic.thinking", signs=True),
]
FORMATS = [*WHOLE, *(replace(form, stream=True) for form in WHOLE)]

THINKING = Sampling(reasoning_effort="high")
ASKED = [Message("system", "You are a careful assistant."), Message("user", PLAN.turns[0].text)]


@pytest.fixture(params=FORMATS, ids=lambda form: form.name)
def form(request: pytest.FixtureRequest) -> Form:
    assert isinstance(request.param, Form)
    return request.param


@pytest.fixture(params=[form for form in FORMATS if form.signs], ids=lambda form: form.name)
def signing(request: pytest.FixtureRequest) -> Form:
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
    assert (piece.visibility, piece.source) == (form.visibility, form.source)
    assert piece.text
    assert reply.usage.input
    assert reply.usage.output
    assert piece.tokens == reply.usage.reasoning
    assert reply.model == "faker"
    assert reply.stop


async def test_a_stream_is_asked_for_where_it_is_wanted_and_nowhere_else(form: Form) -> None:
    async with served() as address, at(form, address) as made:
        body = made.request("faker", ASKED, THINKING)
        received = await made.send(body, {})
    assert (json.loads(body).get("stream") is True) is form.stream
    assert received.body.lstrip().startswith((b"data:", b"event:")) is form.stream


async def test_a_second_turn_sends_back_what_the_server_signed(form: Form) -> None:
    async with served() as address, at(form, address) as made:
        first = await ask(made, ASKED)
        both = [*ASKED, first.message, Message("user", PLAN.turns[1].text)]
        second = await ask(made, both)
    assert second.outcome is Outcome.COMPLETED


async def test_what_is_signed_goes_back_byte_for_byte_and_other_reasoning_does_not(form: Form) -> None:
    async with served() as address, at(form, address) as made:
        first = await ask(made, ASKED)
        body = made.request("faker", [*ASKED, first.message, Message("user", "And now?")], THINKING).decode()
    (piece,) = first.message.reasoning
    replay = first.message.replay or ""
    if form.signs:
        # The items or blocks themselves; the brackets around them belong to the request.
        assert replay.strip()[1:-1].strip() in body
    else:
        assert json.dumps(piece.text, ensure_ascii=False)[1:-1] not in body
        assert json.dumps(first.message.text, ensure_ascii=False) in body


async def test_signed_reasoning_that_was_touched_is_refused(signing: Form) -> None:
    async with served() as address, at(signing, address) as made:
        first = await ask(made, ASKED)
        words = (first.message.reasoning[0].text or "").split()[0]
        touched = replace(first.message, replay=(first.message.replay or "").replace(words, words + "x", 1))
        with pytest.raises(CallFailed) as caught:
            await ask(made, [*ASKED, touched, Message("user", PLAN.turns[1].text)])
    assert caught.value.trouble is Trouble.REJECTED


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


# Tools


async def test_tools_are_called_answered_by_their_ids_and_the_answer_follows(form: Form, depot: Depot) -> None:
    depot()
    plan = next(plan for plan in plans(only()) if plan.context == "training")
    assert plan.world is not None
    bench = WorldBench.of(plan.world)
    said = [Message("system", plan.system.text), Message("user", plan.turns[0].text)]
    organisms = read_organisms(Corpus.of([only()]))
    async with served(organisms=organisms) as address, at(form, address) as made:
        for _ in range(10):
            body = made.request("faker", said, THINKING, bench.offered)
            reply = made.read(await made.send(body, {"x-gyges-draw": "0b"}))
            assert reply.outcome is Outcome.COMPLETED
            if said[-1].role == "tool" and form.signs:
                assert (said[at_last_call(said)].replay or "").strip()[1:-1].strip() in body.decode()
            said.append(reply.message)
            if not reply.message.calls:
                break
            assert {call.name for call in reply.message.calls} <= {tool.name for tool in bench.offered}
            assert all(isinstance(arguments(call), dict) for call in reply.message.calls)
            said += await bench.answers(reply.message.calls)
            body = made.request("faker", said, THINKING, bench.offered)
            assert all(call.id in body.decode() for call in reply.message.calls)
    assert any(message.calls for message in said)
    assert said[-1].text


def at_last_call(said: list[Message]) -> int:
    return max(at for at, message in enumerate(said) if message.calls)


async def test_without_tools_none_is_called(form: Form) -> None:
    none: tuple[Tool, ...] = ()
    async with served() as address, at(form, address) as made:
        reply = made.read(await made.send(made.request("faker", ASKED, THINKING, none), {}))
    assert reply.message.calls == ()


# Going on from a given beginning


@pytest.mark.parametrize("form", WHOLE[1:], ids=lambda form: form.name)
async def test_native_reasoning_can_not_be_given_where_the_format_signs_it(form: Form) -> None:
    async with at(form, "http://127.0.0.1:1") as made:
        with pytest.raises(CannotContinue):
            made.request("faker", ASKED, Sampling(), begun=Begun("I think."))


# What goes wrong on the way


FAULTS: list[tuple[str, str, Trouble]] = [
    ("C01", "{kind: status, status: 429, headers: {retry-after: '1'}}", Trouble.TRANSIENT),
    ("C03", "{kind: status, status: 402}", Trouble.QUOTA),
    ("C03", "{kind: status, status: 401}", Trouble.AUTHENTICATION),
    ("C04", "{kind: status, status: 500}", Trouble.TRANSIENT),
    ("C04", "{kind: status, status: 529}", Trouble.TRANSIENT),
    ("C07", "{kind: reset}", Trouble.TRANSIENT),
    ("C07", "{kind: reset, after: 40}", Trouble.TRANSIENT),
    ("C10", "{kind: truncate, keep: 0.5}", Trouble.GARBLED),
    ("C10", "{kind: truncate, keep: 0.5, honest: false}", Trouble.TRANSIENT),
    ("C10", "{kind: garbage, body: ''}", Trouble.GARBLED),
    ("C10", "{kind: garbage, base64: H4sIAAAA}", Trouble.GARBLED),
    ("C11", "{kind: garbage, body: '<html>200 OK</html>', headers: {content-type: text/html}}", Trouble.GARBLED),
    ("C11", '{kind: garbage, body: \'{"error": {"message": "x"}}\'}', Trouble.GARBLED),
    ("C12", "{kind: garbage, body: '{}'}", Trouble.GARBLED),
    ("C14", "{kind: redirect, status: 301, location: 'http://127.0.0.1:1/'}", Trouble.REJECTED),
    ("C18", "{kind: status, status: 400, message: prompt is too long}", Trouble.CONTEXT_OVERFLOW),
    ("C19", "{kind: status, status: 413}", Trouble.REJECTED),
]


@pytest.mark.parametrize(("row", "fault", "trouble"), FAULTS, ids=[f"{row} {fault}" for row, fault, _ in FAULTS])
async def test_a_fault_is_the_same_trouble_in_every_format(
    form: Form, tmp_path: Path, row: str, fault: str, trouble: Trouble
) -> None:
    del row
    schedule = tmp_path / "faults.yaml"
    schedule.write_text(f"faults:\n  - fault: {fault}\n", encoding="utf-8")
    async with served(faults=schedule) as address, at(form, address) as made:
        with pytest.raises(CallFailed) as caught:
            await ask(made, ASKED)
    # A stream that ends early is known by what is missing, not by a broken JSON: it is tried again all the same.
    cut = form.stream and "truncate" in fault
    assert caught.value.trouble is (Trouble.TRANSIENT if cut else trouble), str(caught.value)


STREAMS = [
    '{kind: events, add: \'data: {"type": "error", "error": {"message": "Overloaded"}}\', at: 3, stop: true}',
    "{kind: truncate, keep: 0.7}",
    "{kind: events, drop: 'message_stop|response.completed|DONE|finish_reason\": \"'}",
]


@pytest.mark.parametrize("fault", STREAMS)
@pytest.mark.parametrize("form", FORMATS[3:], ids=lambda form: form.name)
async def test_a_stream_without_its_end_is_no_answer(form: Form, tmp_path: Path, fault: str) -> None:
    schedule = tmp_path / "faults.yaml"
    schedule.write_text(f"faults:\n  - fault: {fault}\n", encoding="utf-8")
    async with served(faults=schedule) as address, at(form, address) as made:
        with pytest.raises(CallFailed) as caught:
            await ask(made, ASKED)
    assert caught.value.trouble in (Trouble.GARBLED, Trouble.TRANSIENT)


async def test_a_very_long_answer_is_read_whole(form: Form) -> None:
    async with served() as address, at(form, address) as made:
        received = await made.send(made.request("faker", ASKED, THINKING), {})
    word = made.read(received).message.text.split()[0]
    rows = "row\\n" * 2_000_000
    long = replace(received, body=received.body.replace(word.encode(), f"{word}{rows}".encode()))
    began = time.perf_counter()
    reply = made.read(long)
    assert len(reply.message.text) > 8_000_000
    assert reply.message.text.startswith(f"{word}row\nrow")
    assert time.perf_counter() - began < 10
