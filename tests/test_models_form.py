"""An answer's form, in each provider's own way of holding a model to it."""

from __future__ import annotations

import json

import pytest

from gyges.errors import UsageError
from gyges.models.provider import Form, Provider, Sampling, Tool
from gyges.models.registry import provider
from gyges.transcripts.record import Message

SCHEMA = {
    "type": "object",
    "properties": {"yes": {"type": "boolean"}},
    "required": ["yes"],
    "additionalProperties": False,
}
TOOL = Tool("submit", "Say it.", SCHEMA)


async def body(model: str, form: Form | None, sampling: Sampling | None = None) -> dict[str, object]:
    made: Provider
    made, name = provider(model, "http://127.0.0.1:9/v1", key="k")
    try:
        sent = made.request(name, [Message("user", "Well?")], sampling or Sampling(max_tokens=9), (), form)
    finally:
        await made.close()
    return {key: value for key, value in json.loads(sent).items() if key in KEYS}


KEYS = ("response_format", "text", "output_config", "tools", "tool_choice")
ABOUT = {"name": "submit", "description": "Say it.", "parameters": SCHEMA, "strict": True}


@pytest.mark.parametrize(
    ("model", "way", "expected"),
    [
        (
            "openai/m",
            "schema",
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "submit", "strict": True, "schema": SCHEMA},
                }
            },
        ),
        (
            "openai/m",
            "tool",
            {
                "tools": [{"type": "function", "function": ABOUT}],
                "tool_choice": {"type": "function", "function": {"name": "submit"}},
            },
        ),
        (
            "openai-responses/m",
            "schema",
            {"text": {"format": {"type": "json_schema", "name": "submit", "strict": True, "schema": SCHEMA}}},
        ),
        (
            "openai-responses/m",
            "tool",
            {"tools": [{"type": "function", **ABOUT}], "tool_choice": {"type": "function", "name": "submit"}},
        ),
        ("anthropic/m", "schema", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
        (
            "anthropic/m",
            "tool",
            {
                "tools": [{"name": "submit", "description": "Say it.", "input_schema": SCHEMA}],
                "tool_choice": {"type": "tool", "name": "submit"},
            },
        ),
    ],
)
async def test_every_provider_holds_a_model_to_the_form(model: str, way: str, expected: dict[str, object]) -> None:
    assert await body(model, Form(TOOL, "schema" if way == "schema" else "tool")) == expected
    assert await body(model, None) == {}


async def test_an_effort_and_a_schema_stand_side_by_side_at_anthropic() -> None:
    sampling = Sampling(max_tokens=9, reasoning_effort="low")
    sent = await body("anthropic/m", Form(TOOL), sampling)
    assert sent == {"output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}}


async def test_a_forced_tool_and_thinking_are_refused_before_they_are_sent() -> None:
    with pytest.raises(UsageError, match="verdict: schema"):
        await body("anthropic/m", Form(TOOL, "tool"), Sampling(max_tokens=9, reasoning_effort="low"))
