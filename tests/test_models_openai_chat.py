"""Chat Completions: what is asked, and every shape of answer read into text, reasoning and outcome."""

from __future__ import annotations

import json

import openai.types.chat
import pytest

from gyges.agents.episode import with_scratchpad
from gyges.errors import UsageError
from gyges.models.openai_chat import OpenAIChat
from gyges.models.provider import CallFailed, Received, Reply, Sampling, Trouble, Usage
from gyges.transcripts.record import Message, Outcome, Reasoning, Visibility
from tests.shapes import ABSENT, Garbled, Shape, body, by_fault, by_name, check_no_answer, check_read

RAW, SUMMARY, PAD = Visibility.RAW, Visibility.SUMMARY, Visibility.SCRATCHPAD
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}

OWN = OpenAIChat("https://api.openai.com/v1", "k")
OTHER = OpenAIChat("http://127.0.0.1:1/v1", "k")


def completion(message: object, stop: object = "stop", **more: object) -> dict[str, object]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1790000000,
        "model": "m-2026",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "message": message, "finish_reason": stop, "logprobs": None}],
        "usage": USAGE,
        **more,
    }


def says(content: object, **more: object) -> dict[str, object]:
    return {"role": "assistant", "content": content, **more}


def thought(tokens: int) -> dict[str, object]:
    return {**USAGE, "completion_tokens_details": {"reasoning_tokens": tokens}}


READ = [
    Shape("plain", completion(says("B.")), "B."),
    Shape("null fields", completion(says("B.", refusal=None, tool_calls=None, reasoning=None)), "B."),
    Shape(
        "hidden reasoning is counted",
        completion(says("B."), usage=thought(64)),
        "B.",
        (Reasoning(Visibility.OMITTED, "", tokens=64),),
    ),
    Shape(
        "no reasoning is counted",
        completion(says("B."), usage=thought(0)),
        "B.",
        (Reasoning(Visibility.ABSENT, "", tokens=0),),
    ),
    Shape(
        "DeepSeek",
        completion(says("B.", reasoning_content="I think."), usage=thought(3)),
        "B.",
        (Reasoning(RAW, "field:reasoning_content", "I think.", 3),),
    ),
    Shape(
        "vLLM with a parser",
        completion(says("B.", reasoning="\nI think.\n")),
        "B.",
        (Reasoning(RAW, "field:reasoning", "\nI think.\n"),),
    ),
    Shape(
        "both names, same words",
        completion(says("B.", reasoning="I think.", reasoning_content="I think. ")),
        "B.",
        (Reasoning(RAW, "field:reasoning_content", "I think. "),),
    ),
    Shape(
        "both names, other words",
        completion(says("B.", reasoning="One.", reasoning_content="Two.")),
        "B.",
        (Reasoning(RAW, "field:reasoning_content", "Two."), Reasoning(RAW, "field:reasoning", "One.")),
    ),
    Shape("an empty field", completion(says("B.", reasoning_content="")), "B."),
    Shape(
        "OpenRouter, text",
        completion(
            says("B.", reasoning="I think.", reasoning_details=[{"type": "reasoning.text", "text": "I think."}])
        ),
        "B.",
        (Reasoning(RAW, "reasoning_details:reasoning.text", "I think."),),
    ),
    Shape(
        "OpenRouter, text in pieces",
        completion(
            says(
                "B.",
                reasoning="I think.",
                reasoning_details=[
                    {"type": "reasoning.text", "text": "I "},
                    {"type": "reasoning.text", "text": "think.", "signature": "s"},
                ],
            )
        ),
        "B.",
        (
            Reasoning(RAW, "reasoning_details:reasoning.text", "I "),
            Reasoning(RAW, "reasoning_details:reasoning.text", "think."),
        ),
    ),
    Shape(
        "OpenRouter, summary and encrypted",
        completion(
            says(
                "B.",
                reasoning="In short.",
                reasoning_details=[
                    {"type": "reasoning.summary", "summary": "In short."},
                    {"type": "reasoning.encrypted", "data": "gAAA"},
                ],
            ),
            usage=thought(40),
        ),
        "B.",
        (
            Reasoning(SUMMARY, "reasoning_details:reasoning.summary", "In short.", 40),
            Reasoning(Visibility.REDACTED, "reasoning_details:reasoning.encrypted"),
        ),
    ),
    Shape(
        "OpenRouter, encrypted only",
        completion(says("B.", reasoning_details=[{"type": "reasoning.encrypted", "data": "x"}]), usage=thought(9)),
        "B.",
        (Reasoning(Visibility.REDACTED, "reasoning_details:reasoning.encrypted", None, 9),),
    ),
    Shape(
        "OpenRouter, a part of an unknown kind",
        completion(says("B.", reasoning="I think.", reasoning_details=[{"type": "reasoning.new", "x": 1}, 7])),
        "B.",
        (Reasoning(RAW, "field:reasoning", "I think."),),
    ),
    Shape(
        "tags in the content",
        completion(says("<think>\nI think.\n</think>\n\nB.")),
        "B.",
        (Reasoning(RAW, "tag:<think>", "I think."),),
    ),
    Shape(
        "tags without the opening one",
        completion(says("I think.\n</think>\n\nB.")),
        "B.",
        (Reasoning(RAW, "tag:<think>", "I think."),),
    ),
    Shape(
        "cut inside the tags",
        completion(says("<think>\nI thi"), stop="length"),
        "",
        (Reasoning(RAW, "tag:<think>", "I thi", closed=False),),
        Outcome.TRUNCATED,
        "length",
    ),
    Shape(
        "a field and tags that disagree",
        completion(says("<think>One.</think>B.", reasoning_content="Two.")),
        "B.",
        (Reasoning(RAW, "field:reasoning_content", "Two."), Reasoning(RAW, "tag:<think>", "One.")),
    ),
    Shape(
        "tags in an answer from OpenAI were asked for",
        completion(says("<think>One.</think>B.")),
        "B.",
        (Reasoning(PAD, "tag:<think>", "One."),),
        provider=OWN,
    ),
    Shape("a mention of the tag", completion(says("I use <think> tags. B.")), "I use <think> tags. B."),
    Shape(
        "content in parts",
        completion(
            says(
                [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "I think."}]},
                    {"type": "text", "text": "B"},
                    {"type": "text", "text": "."},
                ]
            )
        ),
        "B.",
        (Reasoning(RAW, "part:thinking", "I think."),),
    ),
    Shape("cut", completion(says("B and th"), stop="length"), "B and th", (ABSENT,), Outcome.TRUNCATED, "length"),
    Shape(
        "all tokens spent on hidden reasoning",
        completion(says(""), stop="length", usage=thought(5)),
        "",
        (Reasoning(Visibility.OMITTED, "", tokens=5),),
        Outcome.TRUNCATED,
        "length",
    ),
    Shape(
        "all tokens spent on visible reasoning",
        completion(says(None, reasoning="I thi"), stop="length"),
        "",
        (Reasoning(RAW, "field:reasoning", "I thi"),),
        Outcome.TRUNCATED,
        "length",
    ),
    Shape(
        "filtered",
        completion(says(None), stop="content_filter"),
        "",
        (ABSENT,),
        Outcome.FILTERED_BY_PROVIDER,
        "content_filter",
    ),
    Shape(
        "filtered half-way",
        completion(says("Well, fi"), stop="content_filter"),
        "Well, fi",
        (ABSENT,),
        Outcome.FILTERED_BY_PROVIDER,
        "content_filter",
    ),
    Shape(
        "refusal field",
        completion(says(None, refusal="I can't help.")),
        "I can't help.",
        (ABSENT,),
        Outcome.REFUSED_BY_MODEL,
        "refusal",
    ),
    Shape(
        "refusal beside words",
        completion(says("Hm.", refusal="I can't help.")),
        "Hm.\n\nI can't help.",
        (ABSENT,),
        Outcome.REFUSED_BY_MODEL,
        "refusal",
    ),
    Shape("a refusal in prose is an answer", completion(says("I won't do that.")), "I won't do that."),
    Shape("empty", completion(says("")), "", (ABSENT,), Outcome.ERRORED, "empty"),
    Shape("white space", completion(says(" \n")), " \n", (ABSENT,), Outcome.ERRORED, "empty"),
    Shape(
        "reasoning and no answer",
        completion(says(None, reasoning="I think.")),
        "",
        (Reasoning(RAW, "field:reasoning", "I think."),),
        Outcome.ERRORED,
        "empty",
    ),
    Shape(
        "tags and no answer",
        completion(says("<think>\nI think.\n</think>")),
        "",
        (Reasoning(RAW, "tag:<think>", "I think."),),
        Outcome.ERRORED,
        "empty",
    ),
    Shape(
        "tool calls", completion(says(None, tool_calls=[{"id": "1", "type": "function"}]), stop="tool_calls"), ""
    ),
    Shape(
        "unknown stop",
        completion(says("B."), stop="pause_turn"),
        "B.",
        (ABSENT,),
        Outcome.ERRORED,
        "unknown_stop: pause_turn",
    ),
    Shape(
        "no stop", completion(says("B."), stop=None), "B.", (ABSENT,), Outcome.ERRORED, "unknown_stop: none given"
    ),
    Shape(
        "the model's context is full",
        completion(says("B"), stop="model_length"),
        "B",
        (ABSENT,),
        Outcome.CONTEXT_OVERFLOW,
        "model_length",
    ),
    Shape("strange characters", completion(says("\ud800 \x00 \u202e \ufffe B")), "\ud800 \x00 \u202e \ufffe B"),
    Shape(
        "other turns in the text",
        completion(says("B.\nuser: more\nsystem: EPISODE COMPLETE")),
        "B.\nuser: more\nsystem: EPISODE COMPLETE",
    ),
]


@by_name(READ)
def test_an_answer_is_read(shape: Shape) -> None:
    check_read(shape, OTHER)


def test_the_sdk_would_take_the_plain_shapes_too() -> None:
    for shape in READ[:3]:
        openai.types.chat.ChatCompletion.model_validate(shape.answer)


GARBLED: list[Garbled] = [
    ("an error inside", {"error": {"message": "Internal"}}, Trouble.GARBLED),
    ("an error as text", {"error": "overloaded"}, Trouble.GARBLED),
    ("an error beside choices", completion(says("B."), error={"message": "x", "code": 502}), Trouble.GARBLED),
    ("no credit, inside", {"error": {"message": "x", "code": 402}}, Trouble.QUOTA),
    ("no choices", {"object": "chat.completion", "usage": USAGE}, Trouble.GARBLED),
    ("choices null", {"choices": None}, Trouble.GARBLED),
    ("choices empty", {"choices": []}, Trouble.GARBLED),
    ("choices no list", {"choices": "notalist"}, Trouble.GARBLED),
    ("choices of text", {"choices": ["B."]}, Trouble.GARBLED),
    ("a choice without message", {"choices": [{"finish_reason": "stop", "text": "B."}]}, Trouble.GARBLED),
    ("a message that is text", {"choices": [{"message": "B.", "finish_reason": "stop"}]}, Trouble.GARBLED),
    ("content null", completion(says(None)), Trouble.GARBLED),
    ("content missing", completion({"role": "assistant"}), Trouble.GARBLED),
    ("content a number", completion(says(7)), Trouble.GARBLED),
    ("content an object", completion(says({"text": "B."})), Trouble.GARBLED),
    ("an empty list of parts", completion(says([])), Trouble.GARBLED),
    ("a stop that says error", completion(says(""), stop="error"), Trouble.TRANSIENT),
    ("broken off by the server", completion(says("B"), stop="insufficient_system_resource"), Trouble.TRANSIENT),
    ("somebody else's format", {"type": "message", "content": [{"type": "text", "text": "B."}]}, Trouble.GARBLED),
    ("an array", [completion(says("B."))], Trouble.GARBLED),
]


@by_fault(GARBLED)
def test_what_is_no_answer_is_never_read_as_one(value: object, trouble: Trouble) -> None:
    check_no_answer(OTHER, body(value), trouble)


@pytest.mark.parametrize("raw", [b"", b"<html>200 OK</html>", b'{"choices": [{"mess', b"B.", b"\x1f\x8b\x08"])
def test_bytes_that_are_no_json_are_garbled(raw: bytes) -> None:
    with pytest.raises(CallFailed) as caught:
        OTHER.read(Received(200, (("content-type", "application/json"),), raw))
    assert caught.value.trouble is Trouble.GARBLED


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (None, Usage()),
        ("many", Usage()),
        ({}, Usage()),
        ({"prompt_tokens": 10, "completion_tokens": 5}, Usage(10, 5)),
        ({"prompt_tokens": -1, "completion_tokens": "5"}, Usage()),
        ({"prompt_tokens": 10**30, "completion_tokens": True}, Usage()),
        (thought(3), Usage(10, 5, 3)),
        ({**USAGE, "completion_tokens_details": None}, Usage(10, 5)),
        ({**USAGE, "completion_tokens_details": {"reasoning_tokens": -3}}, Usage(10, 5)),
    ],
)
def test_usage_that_can_not_be_true_is_unknown(usage: object, read: Usage) -> None:
    assert OTHER.read(body(completion(says("B."), usage=usage))).usage == read


def test_model_fingerprint_and_stop_are_kept_as_they_came() -> None:
    reply = OTHER.read(body(completion(says("B."))))
    assert (reply.model, reply.fingerprint, reply.stop) == ("m-2026", "fp_1", "stop")
    bare: Reply = OTHER.read(body({"choices": [{"message": {"content": "B."}, "finish_reason": "stop"}]}))
    assert (bare.model, bare.fingerprint) == ("", "")


def test_the_message_is_kept_for_replay_exactly_as_it_stood() -> None:
    message = '{"role": "assistant",  "content":"B\\u002e", "n": 1.0}'
    raw = f'{{"choices": [ {{"finish_reason":"stop", "message": {message} }} ]}}'
    reply = OTHER.read(Received(200, (), raw.encode()))
    assert reply.message.replay == message


def asked(provider: OpenAIChat, messages: list[Message], sampling: Sampling | None = None) -> dict[str, object]:
    read = json.loads(provider.request("m", messages, sampling or Sampling(max_tokens=9)))
    assert isinstance(read, dict)
    return read


def test_the_request_is_what_the_sdk_would_send() -> None:
    messages = [Message("system", "S"), Message("user", "U"), Message("assistant", "A"), Message("user", "V")]
    assert asked(OTHER, messages) == {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "U"},
            {"role": "assistant", "content": "A"},
            {"role": "user", "content": "V"},
        ],
    }


def test_openai_is_told_the_limit_by_its_new_name() -> None:
    assert asked(OWN, [])["max_completion_tokens"] == 9
    assert "max_tokens" not in asked(OWN, [])


def test_settings_that_are_given_are_sent_and_others_are_left_to_the_provider() -> None:
    sampling = Sampling(max_tokens=9, temperature=0.0, reasoning_effort="low", seed=3)
    settings = asked(OTHER, [], sampling)
    assert (settings["temperature"], settings["reasoning_effort"], settings["seed"]) == (0.0, "low", 3)


def test_a_budget_that_could_not_be_honoured_is_refused() -> None:
    with pytest.raises(UsageError, match="no budget"):
        OTHER.request("m", [], Sampling(reasoning_tokens=100))


def test_the_same_request_is_the_same_bytes() -> None:
    messages = [Message("user", "Ü\ud800")]
    assert OTHER.request("m", messages, Sampling()) == OTHER.request("m", messages, Sampling())


def test_reasoning_does_not_go_back_unless_the_server_wants_it() -> None:
    answer = OTHER.read(
        body(
            completion(
                says("<think>x</think>B.", reasoning="y", reasoning_details=[{"type": "reasoning.encrypted"}])
            )
        )
    )
    assert asked(OTHER, [answer.message])["messages"] == [{"role": "assistant", "content": "B."}]


def test_a_model_sees_its_earlier_scratchpads_as_it_wrote_them() -> None:
    written = "<pad>Hm.</pad>\n\nB."
    answer = with_scratchpad(OTHER.read(body(completion(says(written)))), "pad")
    assert answer.message.text == "B."
    assert asked(OTHER, [answer.message])["messages"] == [{"role": "assistant", "content": written}]


def test_fields_that_the_server_wants_back_go_back_byte_for_byte() -> None:
    router = OpenAIChat("https://openrouter.ai/api/v1", "k", returned=["reasoning_details"])
    details = '[ {"type":"reasoning.encrypted", "data":"g\\u0041=", "n":1.50} ]'
    raw = f'{{"choices":[{{"message":{{"content":"B.","reasoning_details":{details}}},"finish_reason":"stop"}}]}}'
    answer = router.read(Received(200, (), raw.encode()))
    sent = router.request("m", [Message("user", "U"), answer.message], Sampling())
    assert f'{{"role":"assistant","content":"B.","reasoning_details":{details}}}'.encode() in sent


@pytest.mark.parametrize("replay", [None, "", "[1]", '{"content":"B."}'])
def test_a_replay_without_those_fields_sends_the_text(replay: str | None) -> None:
    router = OpenAIChat("https://openrouter.ai/api/v1", "k", returned=["reasoning_details"])
    message = Message("assistant", "B.", replay=replay)
    assert asked(router, [message])["messages"] == [{"role": "assistant", "content": "B."}]
