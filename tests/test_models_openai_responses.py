"""Responses: what is asked, and every shape of answer read into text, reasoning and outcome."""

from __future__ import annotations

import json

import openai.types.responses
import pytest

from gyges.errors import UsageError
from gyges.models.openai_responses import OpenAIResponses
from gyges.models.provider import Received, Sampling, Trouble, Usage
from gyges.transcripts.record import Message, Outcome, Reasoning, Visibility
from tests.shapes import ABSENT, Garbled, Shape, body, by_fault, by_name, check_no_answer, check_read

RAW, SUMMARY = Visibility.RAW, Visibility.SUMMARY

OWN = OpenAIResponses("https://api.openai.com/v1", "k")
OTHER = OpenAIResponses("http://127.0.0.1:1/v1", "k")


def usage(reasoning: int = 0) -> dict[str, object]:
    return {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": 15,
    }


def answer(*output: object, status: object = "completed", **more: object) -> dict[str, object]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1790000000.0,
        "model": "m-2026",
        "output": list(output),
        "status": status,
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage(),
        **more,
    }


def incomplete(reason: str, *output: object) -> dict[str, object]:
    return answer(*output, status="incomplete", incomplete_details={"reason": reason})


def text(words: str) -> dict[str, object]:
    return {"type": "output_text", "text": words, "annotations": []}


def message(*parts: object) -> dict[str, object]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": list(parts)}


def reasoning(*summary: str, words: str | None = None, encrypted: str | None = "gAAA") -> dict[str, object]:
    return {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": part} for part in summary],
        "content": None if words is None else [{"type": "reasoning_text", "text": words}],
        "encrypted_content": encrypted,
    }


READ = [
    Shape("plain", answer(message(text("B."))), "B."),
    Shape(
        "summary",
        answer(reasoning("In short.", "Then."), message(text("B.")), usage=usage(40)),
        "B.",
        (Reasoning(SUMMARY, "openai.summary", "In short.\n\nThen.", 40),),
    ),
    Shape(
        "encrypted only",
        answer(reasoning(), message(text("B.")), usage=usage(40)),
        "B.",
        (Reasoning(Visibility.REDACTED, "openai.reasoning", None, 40),),
    ),
    Shape(
        "an item with nothing in it",
        answer(reasoning(encrypted=None), message(text("B.")), usage=usage(40)),
        "B.",
        (Reasoning(Visibility.OMITTED, "openai.reasoning", None, 40),),
    ),
    Shape(
        "tokens and no item",
        answer(message(text("B.")), usage=usage(40)),
        "B.",
        (Reasoning(Visibility.OMITTED, "", None, 40),),
    ),
    Shape(
        "the words of an open model",
        answer(reasoning(words="I think.", encrypted=None), message(text("B.")), usage=usage(3)),
        "B.",
        (Reasoning(RAW, "openai.reasoning_text", "I think.", 3),),
        provider=OTHER,
    ),
    Shape(
        "words and summary",
        answer(reasoning("In short.", words="I think."), message(text("B."))),
        "B.",
        (
            Reasoning(RAW, "openai.reasoning_text", "I think.", 0),
            Reasoning(SUMMARY, "openai.summary", "In short."),
        ),
    ),
    Shape(
        "two items",
        answer(reasoning("One."), message(text("A.")), reasoning(), message(text("B."))),
        "A.\n\nB.",
        (
            Reasoning(SUMMARY, "openai.summary", "One.", 0),
            Reasoning(Visibility.REDACTED, "openai.reasoning"),
        ),
    ),
    Shape("text in parts", answer(message(text("B"), text("."))), "B."),
    Shape(
        "tags from an open model",
        answer(message(text("<think>\nHm.\n</think>\nB."))),
        "B.",
        (Reasoning(RAW, "tag:<think>", "Hm.", 0),),
        provider=OTHER,
    ),
    Shape("tags at OpenAI are words", answer(message(text("<think>Hm.</think>B."))), "<think>Hm.</think>B."),
    Shape(
        "refusal",
        answer(message({"type": "refusal", "refusal": "I can't."})),
        "I can't.",
        (ABSENT,),
        Outcome.REFUSED_BY_MODEL,
        "refusal",
    ),
    Shape(
        "cut",
        incomplete("max_output_tokens", reasoning("In sh")),
        "",
        (Reasoning(SUMMARY, "openai.summary", "In sh", 0),),
        Outcome.TRUNCATED,
        "max_output_tokens",
    ),
    Shape(
        "filtered",
        incomplete("content_filter", message(text("Well, "))),
        "Well, ",
        (ABSENT,),
        Outcome.FILTERED_BY_PROVIDER,
        "content_filter",
    ),
    Shape(
        "steered",
        incomplete("steered", message(text("B."))),
        "B.",
        (ABSENT,),
        Outcome.ERRORED,
        "unknown_stop: steered",
    ),
    Shape(
        "no status",
        answer(message(text("B.")), status=None),
        "B.",
        (ABSENT,),
        Outcome.ERRORED,
        "unknown_stop: none given",
    ),
    Shape("empty", answer(message(text(""))), "", (ABSENT,), Outcome.ERRORED, "empty"),
    Shape("no items", answer(), "", (ABSENT,), Outcome.ERRORED, "empty"),
    Shape("an item of an unknown kind", answer({"type": "new", "text": "X"}, message(text("B."))), "B."),
    Shape(
        "a tool call",
        answer({"type": "function_call", "id": "f", "call_id": "c", "name": "n", "arguments": "{}"}),
        "",
    ),
    Shape("strange characters", answer(message(text("\ud800 \x00 \u202e B"))), "\ud800 \x00 \u202e B"),
]


@by_name(READ)
def test_an_answer_is_read(shape: Shape) -> None:
    check_read(shape, OWN)


def test_the_sdk_would_take_the_plain_shapes_too() -> None:
    for shape in READ[:9]:
        openai.types.responses.Response.model_validate(shape.answer)


GARBLED: list[Garbled] = [
    ("failed", answer(status="failed", error={"code": "server_error", "message": "x"}), Trouble.GARBLED),
    ("failed, no error", answer(status="failed"), Trouble.GARBLED),
    ("a policy", answer(status="failed", error={"code": "bio_policy", "message": "x"}), Trouble.FILTERED),
    (
        "a flagged prompt",
        answer(status="failed", error={"code": "invalid_prompt", "message": "x"}),
        Trouble.FILTERED,
    ),
    ("queued", answer(status="queued"), Trouble.GARBLED),
    ("in progress", answer(message(text("B")), status="in_progress"), Trouble.GARBLED),
    ("cancelled", answer(message(text("B")), status="cancelled"), Trouble.GARBLED),
    ("output missing", {"status": "completed"}, Trouble.GARBLED),
    ("output null", {**answer(), "output": None}, Trouble.GARBLED),
    ("output as text", {**answer(), "output": "B."}, Trouble.GARBLED),
    ("items that are text", {**answer(), "output": ["B."]}, Trouble.GARBLED),
    ("an array", [answer()], Trouble.GARBLED),
]


@by_fault(GARBLED)
def test_what_is_no_answer_is_never_read_as_one(value: object, trouble: Trouble) -> None:
    check_no_answer(OWN, body(value), trouble)


@pytest.mark.parametrize("raw", [b"", b"<html>200 OK</html>", b'{"output": [{"ty', b"\x1f\x8b\x08"])
def test_bytes_that_are_no_json_are_garbled(raw: bytes) -> None:
    check_no_answer(OWN, Received(200, (), raw), Trouble.GARBLED)


@pytest.mark.parametrize(
    "counts", [{"input_tokens": -1, "output_tokens": "5"}, {"input_tokens": 10**30}, "many", []]
)
def test_usage_that_can_not_be_true_is_unknown(counts: object) -> None:
    assert OWN.read(body(answer(message(text("B.")), usage=counts))).usage == Usage()


def test_usage_is_read() -> None:
    assert OWN.read(body(answer(message(text("B.")), usage=usage(3)))).usage == Usage(10, 5, 3)
    assert OWN.read(body(answer(message(text("B.")), usage=None))).usage == Usage()


def test_reasoning_that_the_provider_left_out_of_the_input_is_noted() -> None:
    change = {"id": "rs_1", "type": "reasoning", "action": "removed", "reason": "prefix_mismatch"}
    reply = OWN.read(body(answer(message(text("B.")), input_transformations=[change])))
    assert reply.message.notes == ("reasoning removed: prefix_mismatch",)


def asked(messages: list[Message], sampling: Sampling | None = None) -> dict[str, object]:
    read = json.loads(OWN.request("m", messages, sampling or Sampling(max_tokens=9)))
    assert isinstance(read, dict)
    return read


def test_nothing_is_stored_at_the_provider() -> None:
    assert asked([Message("system", "S"), Message("user", "U")]) == {
        "model": "m",
        "store": False,
        "max_output_tokens": 9,
        "input": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}],
    }


@pytest.mark.parametrize(
    ("sampling", "settings"),
    [
        (Sampling(reasoning_effort="low"), {"reasoning": {"effort": "low", "summary": "auto"}}),
        (Sampling(reasoning_effort="none"), {"reasoning": {"effort": "none"}}),
        (Sampling(temperature=0.5, seed=3), {"temperature": 0.5}),
    ],
)
def test_a_summary_is_asked_for_where_reasoning_is(sampling: Sampling, settings: dict[str, object]) -> None:
    fixed = ("model", "max_output_tokens", "input", "store")
    assert {name: value for name, value in asked([], sampling).items() if name not in fixed} == settings


def test_a_budget_that_could_not_be_honoured_is_refused() -> None:
    with pytest.raises(UsageError, match="no budget"):
        OWN.request("m", [], Sampling(reasoning_tokens=100))


def test_items_go_back_byte_for_byte_and_in_order() -> None:
    items = (
        '{"type":"reasoning", "id":"rs_1","summary":[],"encrypted_content":"g\\u0041=" },\n'
        '{"type":"message","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"\\u00e9"}]}'
    )
    reply = OWN.read(Received(200, (), f'{{"status":"completed","output":[ {items} ]}}'.encode()))
    assert reply.message.replay == f"[ {items} ]"
    sent = OWN.request("m", [Message("user", "U"), reply.message, Message("user", "V")], Sampling())
    assert f'{{"role":"user","content":"U"}},{items},{{"role":"user","content":"V"}}'.encode() in sent
    json.loads(sent)


def test_an_answer_without_items_leaves_no_hole() -> None:
    reply = OWN.read(body(answer()))
    assert asked([Message("user", "U"), reply.message])["input"] == [{"role": "user", "content": "U"}]


@pytest.mark.parametrize("replay", [None, "", '{"role":"assistant"}'])
def test_an_assistant_message_of_other_origin_goes_as_text(replay: str | None) -> None:
    assert asked([Message("assistant", "A", replay=replay)])["input"] == [{"role": "assistant", "content": "A"}]
