"""Streams: put together they are the answer in one piece; cut short, mixed up or broken they are none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest

from gyges.models.anthropic_messages import AnthropicMessages
from gyges.models.openai_chat import OpenAIChat
from gyges.models.openai_responses import OpenAIResponses
from gyges.models.provider import CallFailed, Provider, Received, Reply, Sampling, Trouble
from gyges.transcripts.record import Message, Outcome
from tests import test_models_anthropic_messages as messages
from tests import test_models_openai_chat as chat
from tests import test_models_openai_responses as responses
from tests.shapes import Shape, body

Event = tuple[str | None, object]

STREAM = (("Content-Type", "text/event-stream; charset=utf-8"),)


def sse(events: Sequence[Event], end: str = "\n") -> Received:
    """Events as bytes, with a comment before each, as some servers send to keep a connection open."""
    lines = []
    for name, data in events:
        lines += [": still here"] + ([f"event: {name}"] if name else [])
        lines += [f"data: {data if isinstance(data, str) else json.dumps(data)}", ""]
    return Received(200, STREAM, (end.join(lines) + end).encode())


def pieces(text: object) -> list[str]:
    """A text in pieces of three characters."""
    assert isinstance(text, str)
    return [text[i : i + 3] for i in range(0, len(text), 3)]


def same(one: Reply, other: Reply) -> None:
    assert one.message.text == other.message.text
    assert one.message.reasoning == other.message.reasoning
    assert (one.outcome, one.reason, one.stop) == (other.outcome, other.reason, other.stop)
    assert (one.model, one.fingerprint, one.usage) == (other.model, other.fingerprint, other.usage)
    assert json.loads(one.message.replay or "") == json.loads(other.message.replay or "")


# Chat Completions


def chat_events(answer: dict[str, object]) -> Iterator[Event]:
    choices = answer["choices"]
    assert isinstance(choices, list)
    choice = choices[0]
    common = {name: value for name, value in answer.items() if name not in ("choices", "usage")}

    def chunk(delta: object, stop: object = None, **more: object) -> Event:
        return None, {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": stop}], **more}

    yield chunk({"role": "assistant"})
    for name, value in choice["message"].items():
        if name == "reasoning_details":
            for index, item in enumerate(value):
                yield from (chunk({name: [part]}) for part in detail_parts(index, item))
        elif isinstance(value, str) and name != "role":
            yield chunk({name: ""})
            yield from (chunk({name: piece}) for piece in pieces(value))
        else:
            yield chunk({name: value})
    yield chunk({}, choice["finish_reason"])
    yield None, {**common, "choices": [], "usage": answer["usage"]}
    yield None, "[DONE]"


def detail_parts(index: int, item: object) -> Iterator[object]:
    assert isinstance(item, dict)
    grows = next((name for name in ("text", "summary", "data") if name in item), None)
    if grows is None:
        yield item
        return
    for piece in pieces(item[grows]):
        yield {**item, grows: piece, "index": index}


def unstreamable(shape: Shape) -> bool:
    """A stream without a stop has no end, and content in parts is never streamed."""
    return shape.name in ("no stop", "content in parts", "OpenRouter, a part of an unknown kind")


@pytest.mark.parametrize(
    "shape", [shape for shape in chat.READ if not unstreamable(shape)], ids=lambda shape: shape.name
)
def test_a_streamed_completion_is_read_like_one_in_one_piece(shape: Shape) -> None:
    whole = (shape.provider or chat.OTHER).read(body(shape.answer))
    streamed = (shape.provider or chat.OTHER).read(sse(list(chat_events(shape.answer))))
    assert (streamed.message.text, streamed.message.reasoning) == (whole.message.text, whole.message.reasoning)
    assert (streamed.outcome, streamed.reason, streamed.stop) == (whole.outcome, whole.reason, whole.stop)
    assert (streamed.model, streamed.fingerprint, streamed.usage) == (whole.model, whole.fingerprint, whole.usage)


def test_a_streamed_tool_call_is_put_together() -> None:
    def delta(call: object) -> Event:
        return None, {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}

    events: list[Event] = [
        delta({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
        delta({"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": '{"y'}}),
        delta({"index": 0, "function": {"arguments": '{"x":1}'}}),
        delta({"index": 1, "function": {"arguments": '":2}'}}),
        (None, {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}),
    ]
    replay = json.loads(chat.OTHER.read(sse(events)).message.replay or "")
    assert [call["function"] for call in replay["tool_calls"]] == [
        {"name": "f", "arguments": '{"x":1}'},
        {"name": "g", "arguments": '{"y":2}'},
    ]


# Messages


def message_events(answer: dict[str, object]) -> Iterator[Event]:
    content = answer["content"]
    assert isinstance(content, list)
    start = {**answer, "content": [], "stop_reason": None, "stop_details": None, "usage": {"input_tokens": 10}}
    yield "message_start", {"type": "message_start", "message": start}
    yield "ping", {"type": "ping"}
    for index, block in enumerate(content):
        yield from block_events(index, block)
    delta = {"stop_reason": answer["stop_reason"], "stop_details": answer.get("stop_details")}
    yield "message_delta", {"type": "message_delta", "delta": delta, "usage": answer["usage"]}
    yield "message_stop", {"type": "message_stop"}


def block_events(index: int, block: dict[str, object]) -> Iterator[Event]:
    grows = {"text": ["text"], "thinking": ["thinking", "signature"]}.get(str(block["type"]), [])
    first = {name: "" if name in grows else value for name, value in block.items()}
    yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": first}
    for name in grows:
        for piece in pieces(block[name]):
            delta = {"type": f"{name}_delta", name: piece}
            yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": index}


STREAMED_MESSAGES = [(shape, list(message_events(shape.answer))) for shape in messages.READ]


@pytest.mark.parametrize(
    ("shape", "events"), STREAMED_MESSAGES, ids=[shape.name for shape, _ in STREAMED_MESSAGES]
)
def test_a_streamed_message_is_read_like_one_in_one_piece(shape: Shape, events: list[Event]) -> None:
    same(
        (shape.provider or messages.OWN).read(sse(events)),
        (shape.provider or messages.OWN).read(body(shape.answer)),
    )


def tool_use(*given: str, stop: str = "tool_use") -> Received:
    """A streamed call whose arguments come in these pieces."""
    events: list[Event] = [
        ("message_start", {"type": "message_start", "message": {"usage": {"input_tokens": 1}}}),
        *block_events(0, {"type": "tool_use", "id": "t", "name": "f", "input": {}}),
    ]
    for piece in given:
        delta = {"type": "input_json_delta", "partial_json": piece}
        events.insert(-1, ("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}))
    events.append(("message_delta", {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {}}))
    events.append(("message_stop", {"type": "message_stop"}))
    return sse(events)


def test_a_streamed_tool_use_gets_its_input() -> None:
    assert json.loads(messages.OWN.read(tool_use('{"x"', ": 1}")).message.replay or "") == [
        {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}}
    ]


@pytest.mark.parametrize(("given", "sent"), [('{"x": ', '{"x": '), ('{"x": NaN}', '{"x": NaN}'), ("[1]", "[1]")])
def test_arguments_that_are_no_object_are_kept_as_they_came_and_go_back_in_one(given: str, sent: str) -> None:
    said = messages.OWN.read(tool_use(given)).message
    assert [call.arguments for call in said.calls] == [sent]
    (back,) = json.loads(messages.OWN.request("m", [said], Sampling()))["messages"]
    assert back["content"] == [{"type": "tool_use", "id": "t", "name": "f", "input": {"arguments": sent}}]


def test_an_answer_that_was_cut_in_a_tool_use_is_truncated() -> None:
    reply = messages.OWN.read(tool_use('{"x": ', stop="max_tokens"))
    assert (reply.outcome, reply.message.calls[0].arguments) == (Outcome.TRUNCATED, '{"x": ')


# Responses


def response_events(answer: dict[str, object], *, done: bool = True) -> Iterator[Event]:
    output = answer["output"]
    assert isinstance(output, list)
    number = 0

    def event(kind: str, **more: object) -> Event:
        nonlocal number
        number += 1
        return kind, {"type": kind, "sequence_number": number, **more}

    yield event("response.created", response={**answer, "status": "in_progress", "output": []})
    for index, item in enumerate(output):
        # What is added may be incomplete; what is done is not.
        yield event("response.output_item.added", output_index=index, item={**item, "encrypted_content": "part"})
        yield event("response.output_text.delta", output_index=index, delta="...")
        if done:
            yield event("response.output_item.done", output_index=index, item=item)
    yield event(f"response.{answer['status']}", response=answer)


STREAMED_RESPONSES = [shape for shape in responses.READ if shape.name != "no status"]


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("shape", STREAMED_RESPONSES, ids=lambda shape: shape.name)
def test_a_streamed_response_is_read_like_one_in_one_piece(shape: Shape, done: bool) -> None:
    whole = (shape.provider or responses.OWN).read(body(shape.answer))
    same((shape.provider or responses.OWN).read(sse(list(response_events(shape.answer, done=done)))), whole)


def test_a_streamed_item_is_kept_byte_for_byte() -> None:
    item = '{"type":"reasoning", "id":"rs_1","summary":[],"encrypted_content":"g\\u0041=", "n":1.50}'
    events: list[Event] = [
        (None, f'{{"type":"response.output_item.done","output_index":0,"item":{item}}}'),
        (None, '{"type":"response.completed","response":{"status":"completed","output":[{"type":"reasoning"}]}}'),
    ]
    assert responses.OWN.read(sse(events)).message.replay == f"[{item}]"


# All of them

WHOLE: dict[str, tuple[Provider, list[Event]]] = {
    "chat": (chat.OTHER, list(chat_events(chat.READ[0].answer))),
    "messages": (messages.OWN, list(message_events(messages.READ[0].answer))),
    "responses": (responses.OWN, list(response_events(responses.READ[0].answer))),
}


@pytest.mark.parametrize("kind", list(WHOLE))
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(kind: str, end: str) -> None:
    provider, events = WHOLE[kind]
    assert provider.read(sse(events, end)).message.text == "B."


@pytest.mark.parametrize("kind", list(WHOLE))
def test_a_stream_cut_anywhere_before_its_end_is_no_answer(kind: str) -> None:
    provider, events = WHOLE[kind]
    whole = sse(events).body
    end = {
        "chat": b'"finish_reason": "stop"}]}\n\n',
        "messages": b"message_stop",
        "responses": b"response.completed",
    }
    last = whole.rindex(end[kind]) + len(end[kind])
    for cut in range(0, last - 1, 7):
        with pytest.raises(CallFailed) as caught:
            provider.read(Received(200, STREAM, whole[:cut]))
        assert caught.value.trouble in (Trouble.TRANSIENT, Trouble.GARBLED)


@pytest.mark.parametrize("kind", list(WHOLE))
def test_a_stream_is_known_without_its_header_too(kind: str) -> None:
    provider, events = WHOLE[kind]
    body = sse(events).body.replace(b": still here\n", b"")
    assert provider.read(Received(200, (), body)).message.text == "B."


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

BROKEN: list[tuple[str, str, int, Event]] = [
    ("an error half-way", "chat", 2, (None, {"error": {"message": "x", "code": 502}})),
    ("another choice", "chat", 2, (None, {"choices": [{"index": 1, "delta": {"content": "X"}}]})),
    ("words after the end", "chat", -2, (None, {"choices": [{"index": 0, "delta": {"content": "X"}}]})),
    ("an event that is no JSON", "chat", 2, (None, "{broken")),
    ("an error half-way", "messages", 3, ("error", OVERLOADED)),
    ("a second beginning", "messages", 3, ("message_start", {"type": "message_start", "message": {}})),
    (
        "a block inside another",
        "messages",
        3,
        ("x", {"type": "content_block_start", "index": 1, "content_block": {}}),
    ),
    (
        "a piece of another block",
        "messages",
        4,
        ("x", {"type": "content_block_delta", "index": 5, "delta": {"type": "text_delta", "text": "X"}}),
    ),
    (
        "a piece of an unknown kind",
        "messages",
        4,
        ("x", {"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta", "x": "X"}}),
    ),
    ("an end inside a block", "messages", 4, ("message_stop", {"type": "message_stop"})),
    ("an error half-way", "responses", 2, ("error", {"type": "error", "code": "server_error", "message": "x"})),
    ("an event twice", "responses", 2, ("x", {"type": "response.output_text.delta", "sequence_number": 1})),
    (
        "an item left out",
        "responses",
        4,
        ("x", {"type": "response.output_item.done", "output_index": 7, "item": {}}),
    ),
]


@pytest.mark.parametrize(
    ("kind", "place", "event"), [case[1:] for case in BROKEN], ids=[f"{case[1]}: {case[0]}" for case in BROKEN]
)
def test_a_stream_that_goes_wrong_is_no_answer(kind: str, place: int, event: Event) -> None:
    provider, events = WHOLE[kind]
    with pytest.raises(CallFailed) as caught:
        provider.read(sse([*events[:place], event, *events[place:]]))
    assert caught.value.trouble is Trouble.GARBLED
    assert caught.value.received is not None


def test_a_block_that_is_never_closed_is_no_answer() -> None:
    start, *_, delta, stop = message_events(messages.READ[0].answer)
    unclosed = list(block_events(0, {"type": "text", "text": "Half"}))[:-1]
    whole = list(block_events(1, {"type": "text", "text": "B."}))
    with pytest.raises(CallFailed, match="out of order"):
        messages.OWN.read(sse([start, *unclosed, *whole, delta, stop]))


@pytest.mark.parametrize("kind", list(WHOLE))
def test_events_that_are_newer_than_this_program_do_no_harm(kind: str) -> None:
    provider, events = WHOLE[kind]
    assert provider.read(sse([*events[:2], ("new", {"type": "new_event"}), *events[2:]])).message.text == "B."


def test_a_hundred_thousand_pieces_take_no_time() -> None:
    def chunk(delta: object, stop: object = None) -> Event:
        return None, {"choices": [{"index": 0, "delta": delta, "finish_reason": stop}]}

    events = [chunk({"content": "ab", "reasoning": "cd"})] * 50_000 + [chunk({}, "stop")]
    reply = chat.OTHER.read(sse(events))
    assert (len(reply.message.text), len(reply.message.reasoning[0].text or "")) == (100_000, 100_000)


def test_a_stream_is_asked_for_where_it_is_wanted() -> None:
    question = [Message("user", "U")]

    def asked(provider: Provider, most: int = 9) -> dict[str, object]:
        read = json.loads(provider.request("m", question, Sampling(max_tokens=most)))
        return {name: value for name, value in read.items() if name.startswith("stream")}

    url = "http://127.0.0.1:1"
    assert asked(OpenAIChat(url, "k", stream=True)) == {"stream": True, "stream_options": {"include_usage": True}}
    assert asked(OpenAIResponses(url, "k", stream=True)) == {"stream": True}
    assert asked(AnthropicMessages(url, "k", stream=True)) == {"stream": True}
    assert asked(AnthropicMessages(url, "k"), 21_334) == {"stream": True}
    assert asked(AnthropicMessages(url, "k"), 21_333) == {}
    assert asked(OpenAIChat(url, "k")) == asked(OpenAIResponses(url, "k")) == {}
