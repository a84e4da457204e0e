"""Going on from a given beginning: what each server is sent, what it can't do, and what is taken for an answer."""

from __future__ import annotations

import json

import pytest

from gyges.models.anthropic_messages import AnthropicMessages
from gyges.models.begun import GIVEN, NO_WAY, joined
from gyges.models.openai_chat import OpenAIChat
from gyges.models.openai_responses import OpenAIResponses
from gyges.models.provider import Begun, CannotContinue, Continuation, Provider, Reply, Sampling
from gyges.models.registry import provider
from gyges.transcripts.record import Message, Outcome, Reasoning, Visibility

ASKED = [Message("user", "Shall I?")]
NATIVE, PAD = Begun("I think."), Begun("I think.", "pad")
ABSENT = Reasoning(Visibility.ABSENT, "")


def chat(way: Continuation) -> OpenAIChat:
    return OpenAIChat("http://127.0.0.1:1/v1", "k", continues=way)


def sent(made: Provider, begun: Begun, sampling: Sampling | None = None) -> dict[str, object]:
    body = json.loads(made.request("m", ASKED, sampling or Sampling(), begun=begun))
    assert isinstance(body, dict)
    return body


SENT: list[tuple[Provider, Begun, dict[str, object], dict[str, object]]] = [
    (
        chat("final"),
        NATIVE,
        {"content": "<think>\nI think.\n</think>"},
        {"add_generation_prompt": False, "continue_final_message": True},
    ),
    (chat("final"), PAD, {"content": "<pad>\nI think.\n</pad>"}, {"continue_final_message": True}),
    (chat("prefix"), NATIVE, {"content": "", "reasoning_content": "I think.", "prefix": True}, {}),
    (chat("prefix"), PAD, {"content": "<pad>\nI think.\n</pad>", "prefix": True}, {}),
    (chat("text"), PAD, {"content": "<pad>\nI think.\n</pad>"}, {}),
    (AnthropicMessages("http://127.0.0.1:1", "k"), PAD, {"content": "<pad>\nI think.\n</pad>"}, {}),
]


@pytest.mark.parametrize(("made", "begun", "last", "settings"), SENT)
def test_the_beginning_is_sent_as_the_server_takes_it(
    made: Provider, begun: Begun, last: dict[str, object], settings: dict[str, object]
) -> None:
    body = sent(made, begun)
    messages = body["messages"]
    assert isinstance(messages, list)
    assert messages == [{"role": "user", "content": "Shall I?"}, {"role": "assistant", **last}]
    assert settings.items() <= body.items()


def test_nothing_changes_where_nothing_is_begun() -> None:
    plain = OpenAIChat("http://127.0.0.1:1/v1", "k").request("m", ASKED, Sampling())
    assert chat("final").request("m", ASKED, Sampling()) == plain


CAN_NOT: list[tuple[Provider, Begun, Sampling, str]] = [
    (chat("no"), NATIVE, Sampling(), "chat"),
    (chat("text"), NATIVE, Sampling(), "field"),
    (OpenAIResponses("http://127.0.0.1:1/v1", "k"), NATIVE, Sampling(), "responses"),
    (OpenAIResponses("http://127.0.0.1:1/v1", "k"), PAD, Sampling(), "responses"),
    (AnthropicMessages("https://api.anthropic.com", "k"), NATIVE, Sampling(), "signed"),
    (AnthropicMessages("https://api.anthropic.com", "k"), PAD, Sampling(reasoning_effort="high"), "thinks"),
]


@pytest.mark.parametrize(("made", "begun", "sampling", "why"), CAN_NOT)
def test_what_a_server_can_not_do_is_said_before_anything_is_sent(
    made: Provider, begun: Begun, sampling: Sampling, why: str
) -> None:
    with pytest.raises(CannotContinue) as caught:
        sent(made, begun, sampling)
    assert str(caught.value) == NO_WAY[why]


@pytest.mark.parametrize(
    ("model", "goes_on"),
    [
        ("vllm/m", True),
        ("deepseek/m", True),
        ("openai/m", False),
        ("openrouter/m", False),
        ("openai-api/mine/m", False),
    ],
)
def test_a_service_goes_on_only_where_that_is_documented_or_said_by_its_user(model: str, goes_on: bool) -> None:
    def known(continues: Continuation | None) -> bool:
        made, _ = provider(model, "http://127.0.0.1:1/v1", key="k", continues=continues, environment={})
        try:
            sent(made, NATIVE)
        except CannotContinue:
            return False
        return True

    assert known(None) is goes_on
    assert known("final")
    assert not known("no")


def reply(text: str, *reasoning: Reasoning, replay: str | None = None) -> Reply:
    message = Message("assistant", text, reasoning or (ABSENT,), replay=replay)
    return Reply(message, Outcome.COMPLETED, "", "m", "")


def test_the_whole_answer_is_what_was_given_and_what_came() -> None:
    message = joined(NATIVE, reply("B.", replay='{"content":"B."}')).message
    assert (message.text, message.reasoning) == ("B.", (Reasoning(Visibility.RAW, GIVEN, "I think."),))
    assert json.loads(message.replay or "") == {"content": "B.", "reasoning_content": "I think."}


@pytest.mark.parametrize("replay", ['{"content":"B."}', '[{"type":"text","text":"B."}]', None])
def test_a_scratchpad_stands_in_the_text_and_goes_back_with_it(replay: str | None) -> None:
    message = joined(PAD, reply("B.", replay=replay)).message
    assert message.text == "<pad>\nI think.\n</pad>\n\nB."
    if replay:
        assert json.dumps(message.text) in (message.replay or "")


@pytest.mark.parametrize(
    ("begun", "came"),
    [
        (NATIVE, reply("B.", Reasoning(Visibility.RAW, "field:reasoning", "Anew."))),
        (NATIVE, reply("B.", Reasoning(Visibility.OMITTED, "", tokens=9))),
        (NATIVE, reply("<think>Anew.</think>B.")),
        (PAD, reply("<pad>Anew.</pad>B.")),
    ],
)
def test_a_model_that_reasoned_anew_did_not_go_on_from_what_it_was_given(begun: Begun, came: Reply) -> None:
    with pytest.raises(CannotContinue, match="reasoned anew"):
        joined(begun, came)
