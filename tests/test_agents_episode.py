"""One episode: the graphs say the plan's turns, keep what is said and tell how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from gyges.agents.episode import Ask, Played, Price, play
from gyges.agents.graphs import load_graph
from gyges.models.provider import CallFailed, Reply, Tool, Trouble, Usage
from gyges.scenarios.plan import Text
from gyges.transcripts.record import Message, Outcome, Visibility
from tests.scripted import PLAN as TWO_TURNS
from tests.scripted import Scripted, reply

PLAN = replace(TWO_TURNS, turns=(*TWO_TURNS.turns, Text("Thank you.")))


def per_token(input: int, output: int) -> float:
    """A dollar a token."""
    return float(input + output)


async def played(
    ask: Ask,
    graph: str = "chat",
    *,
    instructions: str = "",
    steps: int = 50,
    tokens: int | None = None,
    cost: float | None = None,
    price: Price | None = per_token,
    seconds: float = 60.0,
) -> Played:
    scratchpad = "scratchpad" if graph == "scratchpad" else ""
    return await play(
        load_graph(f"graphs/{graph}.py:graph"),
        PLAN,
        ask,
        instructions=instructions,
        scratchpad=scratchpad,
        steps=steps,
        tokens=tokens,
        cost=cost,
        price=price,
        seconds=seconds,
    )


async def test_every_turn_is_said_and_answered_in_order() -> None:
    model = Scripted(reply("one"), reply("two"), reply("three"))
    result = await played(model)
    assert [message.text for message in result.messages] == [
        "You are Ada.",
        "<tier>free</tier> Hello.",
        "one",
        "And now?",
        "two",
        "Thank you.",
        "three",
    ]
    assert (result.outcome, result.reason, result.model) == (Outcome.COMPLETED, "", "some-model")
    assert result.messages[1].signal == ((0, 17),)
    assert [len(asked) for asked in model.asked] == [2, 4, 6]


async def test_instructions_stand_after_the_scenarios_words() -> None:
    model = Scripted(reply("one"), reply("two"), reply("three"))
    result = await played(model, instructions="Think first.\n")
    assert result.messages[0].text == "You are Ada.\n\nThink first."


async def test_a_scratchpad_becomes_reasoning_and_the_rest_the_answer() -> None:
    said = "<scratchpad>\nLet me see.\n</scratchpad>\nGood day."
    result = await played(Scripted(reply(said), reply("two"), reply("three")), "scratchpad")
    answer = result.messages[2]
    assert answer.text.strip() == "Good day."
    assert [(piece.visibility, (piece.text or "").strip()) for piece in answer.reasoning] == [
        (Visibility.SCRATCHPAD, "Let me see.")
    ]
    assert [piece.visibility for piece in result.messages[4].reasoning] == [Visibility.ABSENT]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED_BY_MODEL, Outcome.TRUNCATED, Outcome.FILTERED_BY_PROVIDER])
async def test_an_answer_that_is_not_complete_ends_the_episode(outcome: Outcome) -> None:
    result = await played(Scripted(reply("one"), reply("no", outcome=outcome)))
    assert (result.outcome, result.reason) == (outcome, "why")
    assert [message.role for message in result.messages] == ["system", "user", "assistant", "user", "assistant"]


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (Trouble.TRANSIENT, Outcome.ERRORED),
        (Trouble.GARBLED, Outcome.ERRORED),
        (Trouble.REJECTED, Outcome.ERRORED),
        (Trouble.CONTEXT_OVERFLOW, Outcome.CONTEXT_OVERFLOW),
        (Trouble.FILTERED, Outcome.FILTERED_BY_PROVIDER),
    ],
)
async def test_a_call_without_an_answer_ends_the_episode_and_its_question_is_kept(
    trouble: Trouble, outcome: Outcome
) -> None:
    result = await played(Scripted(reply("one"), CallFailed(trouble, "so it went")))
    assert result.outcome is outcome
    assert "so it went" in result.reason
    assert result.messages[-1].text == "And now?"


@pytest.mark.parametrize("trouble", [Trouble.AUTHENTICATION, Trouble.QUOTA, Trouble.UNREACHABLE])
async def test_what_concerns_the_whole_run_passes_through(trouble: Trouble) -> None:
    with pytest.raises(CallFailed):
        await played(Scripted(CallFailed(trouble, "no")))


async def test_more_steps_than_allowed_is_an_outcome_of_its_own() -> None:
    result = await played(Scripted(reply("one"), reply("two"), reply("three")), steps=2)
    assert result.outcome is Outcome.STEP_LIMIT
    assert result.messages[-1].text == "two"


async def test_an_episode_ends_at_its_deadline() -> None:
    async def sleepy(messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Reply:
        assert not tools
        await asyncio.sleep(30)
        return reply(messages[-1].text)

    result = await played(sleepy, seconds=0.05)
    assert result.outcome is Outcome.TIMED_OUT
    assert [message.role for message in result.messages] == ["system", "user"]


@pytest.mark.parametrize(
    ("limits", "price", "usage", "answers", "says"),
    [
        ((20, None), per_token, Usage(8, 2), 2, "20 tokens, of 20 allowed"),
        ((1, None), per_token, Usage(8, 2), 1, "10 tokens, of 1 allowed"),
        ((None, 15.0), per_token, Usage(8, 2), 2, "20.0000 dollars, of 15 allowed"),
        ((None, 15.0), None, Usage(8, 2), 0, "price is not known"),
        ((20, None), per_token, Usage(8), 1, "does not count its tokens"),
    ],
)
async def test_what_an_episode_may_use_ends_it(
    limits: tuple[int | None, float | None], price: Price | None, usage: Usage, answers: int, says: str
) -> None:
    model = Scripted(*(reply(text, usage=usage) for text in ("one", "two", "three")))
    tokens, cost = limits
    result = await played(model, price=price, tokens=tokens, cost=cost)
    assert result.outcome is Outcome.STEP_LIMIT
    assert says in result.reason
    assert sum(message.role == "assistant" for message in result.messages) == len(model.asked) == answers


async def test_an_episode_within_its_limits_comes_to_its_end() -> None:
    answers = [reply(text, usage=Usage(8, 2)) for text in ("one", "two", "three")]
    result = await played(Scripted(*answers), tokens=30, cost=30.0)
    assert result.outcome is Outcome.COMPLETED
