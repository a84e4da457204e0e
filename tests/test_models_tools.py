"""Tools in the three wire formats: how they are offered, how calls are read, and how results go back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from gyges.models.anthropic_messages import AnthropicMessages
from gyges.models.openai_chat import OpenAIChat
from gyges.models.openai_responses import OpenAIResponses
from gyges.models.provider import Provider, Received, Sampling, Tool
from gyges.models.registry import provider
from gyges.models.tools import arguments
from gyges.transcripts.record import Message, Outcome, ToolCall, ToolResult

SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
LOOK = Tool("look", "Look at something.", SCHEMA)

CHAT = OpenAIChat("http://127.0.0.1:9/v1", "k")
MESSAGES = AnthropicMessages("http://127.0.0.1:9", "k")
RESPONSES = OpenAIResponses("http://127.0.0.1:9/v1", "k")

Call = tuple[str | None, str, str]


def completion(text: str | None, calls: Sequence[Call]) -> str:
    listed = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": given}} for id, name, given in calls
    ]
    choice = {"message": {"content": text, "tool_calls": listed}, "finish_reason": "tool_calls"}
    return json.dumps({"choices": [choice]})


def message(text: str | None, calls: Sequence[Call]) -> str:
    blocks = [json.dumps({"type": "text", "text": text})] if text else []
    blocks += [
        f'{{"type":"tool_use","id":{json.dumps(id)},"name":"{name}","input":{given}}}' for id, name, given in calls
    ]
    return f'{{"type":"message","stop_reason":"tool_use","content":[{",".join(blocks)}]}}'


def response(text: str | None, calls: Sequence[Call]) -> str:
    said: object = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    items: list[object] = [said] if text else []
    items += [
        {"type": "function_call", "call_id": id, "name": name, "arguments": given} for id, name, given in calls
    ]
    return json.dumps({"status": "completed", "output": items})


FORMATS = [
    pytest.param(CHAT, completion, id="chat"),
    pytest.param(MESSAGES, message, id="messages"),
    pytest.param(RESPONSES, response, id="responses"),
]
Write = Callable[[str | None, Sequence[Call]], str]


def read(made: Provider, body: str) -> Message:
    reply = made.read(Received(200, (), body.encode()))
    assert reply.outcome is Outcome.COMPLETED
    return reply.message


def sent(made: Provider, *messages: Message, tools: Sequence[Tool] = ()) -> dict[str, object]:
    body = json.loads(made.request("m", messages, Sampling(), tools))
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize(("made", "write"), FORMATS)
def test_calls_are_read_with_their_arguments_as_they_were_written(made: Provider, write: Write) -> None:
    said = read(made, write(None, [("a", "look", '{"at": 1.50}'), ("b", "take", "{}")]))
    assert said.calls == (ToolCall("a", "look", '{"at": 1.50}'), ToolCall("b", "take", "{}"))
    assert said.text == ""


@pytest.mark.parametrize(("made", "write"), FORMATS)
def test_a_call_beside_an_answer_leaves_both(made: Provider, write: Write) -> None:
    said = read(made, write("Let me look.", [("a", "look", "{}")]))
    assert (said.text, len(said.calls)) == ("Let me look.", 1)


@pytest.mark.parametrize(("made", "write"), FORMATS)
@pytest.mark.parametrize(
    ("given", "ids"),
    [
        (["a", "a", "a"], ["a", "a-2", "a-3"]),
        ([None, None], ["call-0", "call-1"]),
        (["", "a"], ["call-0", "a"]),
        (["call-1", None], ["call-1", "call-1-2"]),
    ],
)
def test_every_call_has_an_id_of_its_own_also_when_it_goes_back(
    made: Provider, write: Write, given: list[str | None], ids: list[str]
) -> None:
    said = read(made, write("x", [(id, "look", "{}") for id in given]))
    assert [call.id for call in said.calls] == ids
    results = [Message("tool", "seen", result=ToolResult(id)) for id in ids]
    body = json.dumps(sent(made, said, *results))
    for id in ids:
        assert body.count(f'"{id}"') == 2


def test_64_calls_at_once_are_64_calls() -> None:
    said = read(CHAT, completion(None, [(f"c{at}", "look", "{}") for at in range(64)]))
    assert [call.id for call in said.calls] == [f"c{at}" for at in range(64)]


def test_tools_are_offered_as_each_format_wants_it() -> None:
    about = {"name": "look", "description": "Look at something."}
    assert sent(CHAT, tools=[LOOK])["tools"] == [{"type": "function", "function": {**about, "parameters": SCHEMA}}]
    assert sent(MESSAGES, tools=[LOOK])["tools"] == [{**about, "input_schema": SCHEMA}]
    assert sent(RESPONSES, tools=[LOOK])["tools"] == [
        {"type": "function", **about, "parameters": SCHEMA, "strict": False}
    ]


@pytest.mark.parametrize("made", [CHAT, MESSAGES, RESPONSES])
def test_without_tools_nothing_is_said_of_them(made: Provider) -> None:
    assert "tools" not in sent(made, Message("user", "U"))


ASKED = Message("assistant", "", calls=(ToolCall("a", "look", '{"at":"x"}'), ToolCall("b", "look", "{")))
RESULTS = (
    Message("tool", "seen", result=ToolResult("a")),
    Message("tool", "no JSON", result=ToolResult("b", failed=True)),
)


def test_chat_answers_each_call_in_a_message_of_its_own() -> None:
    assert sent(CHAT, ASKED, *RESULTS)["messages"] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"at":"x"}'}},
                {"id": "b", "type": "function", "function": {"name": "look", "arguments": "{"}},
            ],
        },
        {"role": "tool", "content": "seen", "tool_call_id": "a"},
        {"role": "tool", "content": "no JSON", "tool_call_id": "b"},
    ]


def test_messages_answers_all_calls_in_one_message() -> None:
    assert sent(MESSAGES, ASKED, *RESULTS, Message("user", "U"))["messages"] == [
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "a", "name": "look", "input": {"at": "x"}},
                {"type": "tool_use", "id": "b", "name": "look", "input": {"arguments": "{"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "seen"},
                {"type": "tool_result", "tool_use_id": "b", "content": "no JSON", "is_error": True},
            ],
        },
        {"role": "user", "content": "U"},
    ]


def test_responses_answers_with_items() -> None:
    assert sent(RESPONSES, ASKED, *RESULTS)["input"] == [
        {"type": "function_call", "call_id": "a", "name": "look", "arguments": '{"at":"x"}'},
        {"type": "function_call", "call_id": "b", "name": "look", "arguments": "{"},
        {"type": "function_call_output", "call_id": "a", "output": "seen"},
        {"type": "function_call_output", "call_id": "b", "output": "no JSON"},
    ]


def test_signed_thinking_goes_back_byte_for_byte_beside_its_calls() -> None:
    blocks = (
        '[ {"type":"thinking","thinking":"","signature":"Eq\\u0051B=="},'
        '{"type":"tool_use", "id":"t","name":"look","input":{"at": 1.50}} ]'
    )
    said = read(MESSAGES, f'{{"type":"message","stop_reason":"tool_use","content":{blocks}}}')
    assert blocks.encode() in MESSAGES.request("m", [said], Sampling())


@pytest.mark.parametrize(
    ("model", "field"),
    [("deepseek/x", "reasoning_content"), ("vllm/x", "reasoning"), ("vllm/x", "reasoning_content")],
)
def test_where_the_server_wants_it_reasoning_goes_back_with_calls_and_only_with_calls(
    model: str, field: str
) -> None:
    made, _ = provider(model, key="key-of-a-test")
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages = [{"content": "", field: "Hm.", "tool_calls": [call]}, {"content": "It is blue.", field: "So."}]
    asked, said = (
        read(made, json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}))
        for message in messages
    )
    assert sent(made, asked, said)["messages"] == [
        {"role": "assistant", "content": None, field: "Hm.", "tool_calls": [call]},
        {"role": "assistant", "content": "It is blue."},
    ]


def test_what_a_server_wrote_beside_a_call_goes_back_with_it() -> None:
    call = {
        "index": 0,
        "id": "a",
        "type": "function",
        "function": {"name": "look", "arguments": "{}"},
        "extra_content": {"signature": "s"},
    }
    body = json.dumps({"choices": [{"message": {"content": None, "tool_calls": [call]}, "finish_reason": "stop"}]})
    (back,) = json.loads(CHAT.request("m", [read(CHAT, body)], Sampling()))["messages"]
    del call["index"]
    assert back["tool_calls"] == [call]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "no JSON"),
        ('{"at":"x"}"', "no JSON"),
        ('{"at":NaN}', "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[1]", "a JSON list"),
        ('"at"', "a JSON str"),
    ],
)
def test_arguments_that_are_no_object_are_told_and_not_repaired(given: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        arguments(ToolCall("a", "look", given))
