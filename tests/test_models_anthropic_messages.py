"""Messages: what is asked, and every shape of answer read into text, reasoning and outcome."""

from __future__ import annotations

import json

import anthropic.types
import pytest

from gyges.errors import UsageError
from gyges.models.anthropic_messages import AnthropicMessages
from gyges.models.provider import CallFailed, Received, Sampling, Trouble, Usage
from gyges.transcripts.record import Message, Outcome, Reasoning, Visibility
from tests.shapes import ABSENT, Garbled, Shape, body, by_fault, by_name, check_no_answer, check_read

USAGE = {"input_tokens": 10, "output_tokens": 5}

OWN = AnthropicMessages("https://api.anthropic.com", "k")
OTHER = AnthropicMessages("http://127.0.0.1:1", "k")


def answer(*content: object, stop: object = "end_turn", **more: object) -> dict[str, object]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m-2026",
        "content": list(content),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": USAGE,
        **more,
    }


def text(words: str) -> dict[str, object]:
    return {"type": "text", "text": words, "citations": None}


def thinking(words: str) -> dict[str, object]:
    return {"type": "thinking", "thinking": words, "signature": "EqQB=="}


def refusal(category: str | None, explanation: str | None = None) -> dict[str, object]:
    return {"type": "refusal", "category": category, "explanation": explanation}


def thought(tokens: int) -> dict[str, object]:
    return {**USAGE, "output_tokens_details": {"thinking_tokens": tokens}}


READ = [
    Shape("plain", answer(text("B.")), "B."),
    Shape(
        "thinking at Anthropic is a summary",
        answer(thinking("I think."), text("B."), usage=thought(80)),
        "B.",
        (Reasoning(Visibility.SUMMARY, "anthropic.thinking", "I think.", 80),),
    ),
    Shape(
        "thinking elsewhere is the words themselves",
        answer(thinking("I think."), text("B.")),
        "B.",
        (Reasoning(Visibility.RAW, "anthropic.thinking", "I think."),),
        provider=OTHER,
    ),
    Shape(
        "thinking left out",
        answer(thinking(""), text("B."), usage=thought(80)),
        "B.",
        (Reasoning(Visibility.OMITTED, "anthropic.thinking", None, 80),),
    ),
    Shape(
        "thinking counted, no block",
        answer(text("B."), usage=thought(80)),
        "B.",
        (Reasoning(Visibility.OMITTED, "", None, 80),),
    ),
    Shape(
        "no thinking, counted",
        answer(text("B."), usage=thought(0)),
        "B.",
        (Reasoning(Visibility.ABSENT, "", None, 0),),
    ),
    Shape(
        "redacted",
        answer({"type": "redacted_thinking", "data": "EmwKAh"}, text("B.")),
        "B.",
        (Reasoning(Visibility.REDACTED, "anthropic.redacted_thinking"),),
    ),
    Shape(
        "readable and redacted, in order",
        answer(thinking("One."), {"type": "redacted_thinking", "data": "x"}, thinking("Two."), text("B.")),
        "B.",
        (
            Reasoning(Visibility.SUMMARY, "anthropic.thinking", "One."),
            Reasoning(Visibility.REDACTED, "anthropic.redacted_thinking"),
            Reasoning(Visibility.SUMMARY, "anthropic.thinking", "Two."),
        ),
    ),
    Shape("texts side by side are one", answer(text("B"), text("ecause.")), "Because."),
    Shape(
        "texts apart are paragraphs",
        answer(text("A."), thinking("Hm."), text("B.")),
        "A.\n\nB.",
        (Reasoning(Visibility.SUMMARY, "anthropic.thinking", "Hm."),),
    ),
    Shape("a block of an unknown kind is no text", answer({"type": "new_kind", "text": "X"}, text("B.")), "B."),
    Shape(
        "a tool call",
        answer({"type": "tool_use", "id": "t", "name": "f", "input": {}}, stop="tool_use"),
        "",
    ),
    Shape("a stop sequence", answer(text("B"), stop="stop_sequence"), "B"),
    Shape("cut", answer(text("B and"), stop="max_tokens"), "B and", (ABSENT,), Outcome.TRUNCATED, "max_tokens"),
    Shape(
        "cut while thinking",
        answer(thinking("I thi"), stop="max_tokens"),
        "",
        (Reasoning(Visibility.SUMMARY, "anthropic.thinking", "I thi"),),
        Outcome.TRUNCATED,
        "max_tokens",
    ),
    Shape(
        "the context is full",
        answer(text("B"), stop="model_context_window_exceeded"),
        "B",
        (ABSENT,),
        Outcome.CONTEXT_OVERFLOW,
        "model_context_window_exceeded",
    ),
    Shape(
        "a refusal with its category",
        answer(text("I "), stop="refusal", stop_details=refusal("reasoning_extraction", "Not this.")),
        "I ",
        (ABSENT,),
        Outcome.FILTERED_BY_PROVIDER,
        "refusal: reasoning_extraction",
    ),
    Shape(
        "a refusal without words",
        answer(stop="refusal", stop_details=refusal("frontier_llm", "Not this.")),
        "",
        (ABSENT,),
        Outcome.FILTERED_BY_PROVIDER,
        "refusal: frontier_llm",
    ),
    Shape(
        "a refusal without details",
        answer(stop="refusal"),
        "",
        (ABSENT,),
        Outcome.FILTERED_BY_PROVIDER,
        "refusal",
    ),
    Shape("a refusal in prose is an answer", answer(text("I won't.")), "I won't."),
    Shape("empty", answer(text("")), "", (ABSENT,), Outcome.ERRORED, "empty"),
    Shape("no blocks", answer(), "", (ABSENT,), Outcome.ERRORED, "empty"),
    Shape(
        "thinking and no answer",
        answer(thinking("Hm.")),
        "",
        (Reasoning(Visibility.SUMMARY, "anthropic.thinking", "Hm."),),
        Outcome.ERRORED,
        "empty",
    ),
    Shape(
        "a paused turn",
        answer(text("B."), stop="pause_turn"),
        "B.",
        (ABSENT,),
        Outcome.ERRORED,
        "unknown_stop: pause_turn",
    ),
    Shape("no stop", answer(text("B."), stop=None), "B.", (ABSENT,), Outcome.ERRORED, "unknown_stop: none given"),
    Shape(
        "tags from an open model behind another server",
        answer(text("<think>\nHm.\n</think>\n\nB.")),
        "B.",
        (Reasoning(Visibility.RAW, "tag:<think>", "Hm."),),
        provider=OTHER,
    ),
    Shape("tags at Anthropic are words", answer(text("<think>Hm.</think>B.")), "<think>Hm.</think>B."),
    Shape("strange characters", answer(text("\ud800 \x00 \u202e B")), "\ud800 \x00 \u202e B"),
]


@by_name(READ)
def test_an_answer_is_read(shape: Shape) -> None:
    check_read(shape, OWN)


def test_the_sdk_would_take_the_plain_shapes_too() -> None:
    for shape in READ[:9]:
        anthropic.types.Message.model_validate(shape.answer)


GARBLED: list[Garbled] = [
    ("an error inside", {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, Trouble.GARBLED),
    ("no content", {"type": "message", "stop_reason": "end_turn"}, Trouble.GARBLED),
    ("content null", {**answer(), "content": None}, Trouble.GARBLED),
    ("content as text", {**answer(), "content": "B."}, Trouble.GARBLED),
    ("blocks that are text", {**answer(), "content": ["B."]}, Trouble.GARBLED),
    ("somebody else's format", {"choices": [{"message": {"content": "B."}}]}, Trouble.GARBLED),
    ("no credit, inside", {"error": {"message": "Your credit balance is too low"}}, Trouble.QUOTA),
    ("an array", [answer(text("B."))], Trouble.GARBLED),
]


@by_fault(GARBLED)
def test_what_is_no_answer_is_never_read_as_one(value: object, trouble: Trouble) -> None:
    check_no_answer(OWN, body(value), trouble)


@pytest.mark.parametrize("raw", [b"", b"<html>200 OK</html>", b'{"content": [{"ty'])
def test_bytes_that_are_no_json_are_garbled(raw: bytes) -> None:
    with pytest.raises(CallFailed) as caught:
        OWN.read(Received(200, (), raw))
    assert caught.value.trouble is Trouble.GARBLED


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (None, Usage()),
        ({"input_tokens": 10, "output_tokens": 5}, Usage(10, 5)),
        (
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 20,
                "cache_read_input_tokens": 300,
                "output_tokens": 5,
            },
            Usage(321, 5),
        ),
        ({"input_tokens": 1, "cache_read_input_tokens": None, "output_tokens": -5}, Usage(1)),
        ({"input_tokens": "1", "cache_read_input_tokens": 3}, Usage()),
        (thought(3), Usage(10, 5, 3)),
    ],
)
def test_usage_counts_the_cache_and_nothing_that_can_not_be_true(usage: object, read: Usage) -> None:
    assert OWN.read(body(answer(text("B."), usage=usage))).usage == read


def asked(messages: list[Message], sampling: Sampling | None = None) -> dict[str, object]:
    read = json.loads(OWN.request("m", messages, sampling or Sampling(max_tokens=9)))
    assert isinstance(read, dict)
    return read


def test_system_messages_that_open_the_conversation_go_to_the_top_and_later_ones_stay() -> None:
    messages = [Message("system", "S"), Message("system", "T"), Message("user", "U"), Message("system", "W")]
    assert asked(messages) == {
        "model": "m",
        "max_tokens": 9,
        "system": "S\n\nT",
        "messages": [{"role": "user", "content": "U"}, {"role": "system", "content": "W"}],
    }


def test_without_a_system_message_there_is_no_system() -> None:
    assert "system" not in asked([Message("user", "U")])


ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("sampling", "settings"),
    [
        (Sampling(max_tokens=9000), {}),
        (
            Sampling(max_tokens=9000, reasoning_effort="low"),
            {"thinking": ADAPTIVE, "output_config": {"effort": "low"}},
        ),
        (Sampling(max_tokens=9000, reasoning_effort="none"), {"thinking": {"type": "disabled"}}),
        (
            Sampling(max_tokens=9000, reasoning_tokens=2000),
            {"thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"}},
        ),
        (
            Sampling(max_tokens=9000, reasoning_tokens=2000, reasoning_effort="high"),
            {
                "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
                "output_config": {"effort": "high"},
            },
        ),
        (Sampling(max_tokens=9000, temperature=0.0, seed=3), {"temperature": 0.0}),
    ],
)
def test_thinking_is_asked_for_as_the_settings_say(sampling: Sampling, settings: dict[str, object]) -> None:
    read = asked([], sampling)
    assert {
        name: value for name, value in read.items() if name not in ("model", "max_tokens", "messages")
    } == settings


def test_a_budget_that_leaves_no_room_for_an_answer_is_refused() -> None:
    with pytest.raises(UsageError, match="max_tokens"):
        OWN.request("m", [], Sampling(max_tokens=2000, reasoning_tokens=2000))


def test_the_assistants_blocks_go_back_byte_for_byte_and_in_order() -> None:
    blocks = (
        '[ {"type":"thinking","thinking":"","signature":"Eq\\u0051B==" },\n'
        '{"type":"redacted_thinking", "data":"x/\\/=="},{"type":"new_kind","n":1.50},'
        '{"type":"text","text":"\\u00e9"} ]'
    )
    raw = f'{{"type":"message","stop_reason":"end_turn","content":{blocks}}}'
    reply = OWN.read(Received(200, (), raw.encode()))
    assert reply.message.replay == blocks
    sent = OWN.request("m", [Message("user", "U"), reply.message, Message("user", "V")], Sampling())
    assert f'{{"role":"assistant","content":{blocks}}}'.encode() in sent
    json.loads(sent)


@pytest.mark.parametrize("replay", [None, "", '{"role":"assistant"}'])
def test_an_assistant_message_of_other_origin_goes_as_text(replay: str | None) -> None:
    message = Message("assistant", "A", reasoning=(Reasoning(Visibility.RAW, "x", "secret"),), replay=replay)
    assert asked([message])["messages"] == [{"role": "assistant", "content": "A"}]


def test_what_the_filter_says_for_itself_is_noted_and_is_not_the_models_words() -> None:
    reply = OWN.read(body(answer(stop="refusal", stop_details=refusal("general_harms", "Not this."))))
    assert (reply.message.text, reply.message.notes) == ("", ("Not this.",))
