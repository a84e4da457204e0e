"""Answers that a model goes on from the beginning of: how servers are told, and what came of it.

What a server can't do is said, never replaced by something like it. It makes no call.
"""

from __future__ import annotations

import dataclasses
import json

from gyges.models import wire
from gyges.models.provider import Begun, CannotContinue, Continuation, Reply
from gyges.models.wire import Json
from gyges.transcripts.record import Message, Reasoning, Visibility

GIVEN = "given"
"""The source of reasoning that was given to the model, in the place of its own."""
THINK = "think"
"""The tag around reasoning in the templates of open models."""

NO_WAY = {
    "chat": "this server is not known to go on from a given beginning (if yours does, say how: `continues`)",
    "responses": "Responses takes whatever is sent for finished: it goes on from no given reasoning",
    "signed": "Messages takes thinking only as it was signed, so that no other can be given in its place",
    "thinks": "Messages lets no model go on from a beginning while thinking is on",
    "field": "this server goes on from the text of an answer, and this reasoning stands outside of it",
}


def chat(begun: Begun, way: Continuation) -> tuple[Json, Json]:
    """The last message of a request of Chat Completions, and the settings with it. Raises CannotContinue."""
    message: Json = {"role": "assistant", "content": begun.text(THINK)}
    match way:
        case "no":
            raise CannotContinue(NO_WAY["chat"])
        case "text" if not begun.tag:
            raise CannotContinue(NO_WAY["field"])
        case "text":
            return message, {}
        case "final":
            return message, {"add_generation_prompt": False, "continue_final_message": True}
        case "prefix" if begun.tag:
            return message | {"prefix": True}, {}
        case "prefix":
            return {**message, "content": "", "reasoning_content": begun.reasoning, "prefix": True}, {}


def messages(begun: Begun, thinks: bool) -> str:
    """The last message of a request of Anthropic's Messages. Raises CannotContinue."""
    if not begun.tag:
        raise CannotContinue(NO_WAY["signed"])
    if thinks:
        raise CannotContinue(NO_WAY["thinks"])
    return wire.dumps({"role": "assistant", "content": begun.text()})


def joined(begun: Begun, reply: Reply) -> Reply:
    """The whole answer: what was given, then what came. Raises CannotContinue where the model began anew.

    The given reasoning stands in the text, in its tag, where the agent has a scratchpad: its graph takes it out.
    """
    said = reply.message
    if _anew(begun, said):
        raise CannotContinue("the model reasoned anew: it did not take the given reasoning for its own")
    if begun.tag:
        text = f"{begun.text()}\n\n{said.text}"
        message = dataclasses.replace(said, text=text, replay=_replay(said.replay, text))
    else:
        given = (Reasoning(Visibility.RAW, GIVEN, begun.reasoning),)
        message = dataclasses.replace(said, reasoning=given, replay=_replay(said.replay, None, begun.reasoning))
    return dataclasses.replace(reply, message=message)


def _anew(begun: Begun, said: Message) -> bool:
    """Whether there is more reasoning than was given: in a channel of its own, or in the tag again."""
    more = any(piece.visibility is not Visibility.ABSENT for piece in said.reasoning)
    return more or f"<{begun.tag or THINK}>" in said.text


def _replay(replay: str | None, text: str | None, reasoning: str | None = None) -> str | None:
    """What goes back in later turns, with the beginning in it. Formats of blocks have the text alone."""
    if text is not None and (replay or "").startswith("["):
        return wire.dumps([{"type": "text", "text": text}])
    if not (replay or "").startswith("{"):
        return replay
    message: Json = json.loads(replay or "{}")
    if text is not None:
        message["content"] = text
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    return wire.dumps(message)
