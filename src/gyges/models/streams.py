"""Answers that came as a stream of events, put together into the answer that would have come in one piece.

The stream's bytes are the record; this reads them strictly, since half an answer must never pass for one. It knows
how each format cuts an answer up, and not what the answer says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gyges.models import wire
from gyges.models.failures import failed_inside
from gyges.models.provider import CallFailed, Received, Trouble
from gyges.models.wire import Json

_LINE_END = re.compile(r"\r\n|\n|\r")


def is_stream(received: Received) -> bool:
    kinds = [value for name, value in received.headers if name.lower() == "content-type"]
    return any(kind.startswith("text/event-stream") for kind in kinds) or received.body.startswith(
        (b"event:", b"data:")
    )


def _events(received: Received) -> Iterator[tuple[str, Json]]:
    """The data of each event as text and as an object. An event that no blank line ends did not come whole."""
    try:
        text = received.body.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    except ValueError:
        raise wire.garbled(received, "the stream is no UTF-8") from None
    data: list[str] = []
    for line in _LINE_END.split(text):
        name, _, value = line.partition(":")
        if not line and data:
            whole = "\n".join(data)
            if whole == "[DONE]":
                return
            yield _parsed(received, whole)
            data = []
        elif name == "data":
            data.append(value.removeprefix(" "))


def _parsed(received: Received, data: str) -> tuple[str, Json]:
    try:
        return wire.parse(Received(received.status, (), wire.encode(data)))
    except CallFailed as failure:
        raise wire.garbled(received, f"an event of the stream can't be read: {failure.detail[:200]}") from None


def _broken_off(received: Received) -> CallFailed:
    return CallFailed(Trouble.TRANSIENT, "the stream ended before its answer did", received)


# Growing texts: parts are joined once, at the end, so that a million small pieces take no quadratic time.


class _Parts(list[str]):
    """The pieces of a text that is still growing."""


def _finished(value: object) -> object:
    if isinstance(value, _Parts):
        return "".join(value)
    if isinstance(value, dict):
        return {name: _finished(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_finished(member) for member in value]
    return value


def _grow(target: Json, name: str, piece: str) -> None:
    old = target.get(name)
    if isinstance(old, _Parts):
        old.append(piece)
    else:
        target[name] = _Parts([old, piece] if isinstance(old, str) else [piece])


def _object(value: object) -> Json:
    finished = _finished(value)
    assert isinstance(finished, dict)
    return finished


# Chat Completions

_GROWS = frozenset(
    {"content", "refusal", "reasoning", "reasoning_content", "text", "summary", "data", "arguments", "thinking"}
)


def chat(received: Received) -> tuple[str, Json]:
    """A completion from its chunks. Raises CallFailed for an error among them or a missing end."""
    answer: Json = {}
    message: Json = {"role": "assistant"}
    stop: str | None = None
    for _, chunk in _events(received):
        if chunk.get("error"):
            raise failed_inside(received, chunk["error"])
        answer |= {name: value for name, value in chunk.items() if name != "choices" and value is not None}
        for choice in wire.objects(chunk.get("choices")):
            delta = wire.mapping(choice, "delta")
            if choice.get("index", 0) != 0:
                raise wire.garbled(received, "the stream mixes several answers")
            if stop is not None and any(delta.get(name) for name in _GROWS):
                raise wire.garbled(received, "the stream goes on after its answer's end")
            _merge(message, delta)
            stop = wire.string(choice, "finish_reason") or stop
    if stop is None:
        raise _broken_off(received)
    answer["choices"] = [{"index": 0, "message": _object(message), "finish_reason": stop}]
    return wire.dumps(answer), answer


def _merge(target: Json, delta: Json) -> None:
    for name, value in delta.items():
        old = target.get(name)
        if value is None:
            target.setdefault(name, None)
        elif isinstance(value, str) and name in _GROWS:
            _grow(target, name, value)
        elif isinstance(value, dict) and isinstance(old, dict):
            _merge(old, value)
        elif isinstance(value, list):
            target[name] = _merged(old if isinstance(old, list) and not isinstance(old, _Parts) else [], value)
        else:
            target[name] = value


def _merged(items: list[object], more: list[object]) -> list[object]:
    """Pieces of an item make it grow; other items are added."""
    for item in more:
        if not isinstance(item, dict):
            items.append(item)
            continue
        known = _known(items, item)
        if known is None:
            known = {}
            items.append(known)
        _merge(known, item)
    return items


def _known(items: list[object], item: Json) -> Json | None:
    """The item that this is a piece of: by index, or the last one where nobody counts."""
    candidates = reversed(items) if "index" in item else items[-1:]
    for old in candidates:
        same_kind = isinstance(old, dict) and old.get("type") == item.get("type", old.get("type"))
        if isinstance(old, dict) and same_kind and old.get("index") == item.get("index"):
            return old
    return None


# Messages

_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "partial_json"),
}


@dataclass(slots=True)
class _Message:
    """A message of Anthropic's as it comes: one block open at a time, in order."""

    received: Received
    message: Json | None = None
    blocks: list[Json] = field(default_factory=list)
    is_open: bool = False
    ended: bool = False

    def take(self, event: Json) -> None:
        match event.get("type"):
            case "error":
                raise failed_inside(self.received, event.get("error"))
            case "message_start":
                self._must(self.message is None, "begins twice")
                self.message = dict(wire.mapping(event, "message"))
            case "content_block_start":
                self._must(not self.is_open and event.get("index") == len(self.blocks), "has a block out of order")
                self.blocks.append(dict(wire.mapping(event, "content_block")))
                self.is_open = True
            case "content_block_delta":
                self._must_be_open(event)
                self._grow(wire.mapping(event, "delta"))
            case "content_block_stop":
                self._must_be_open(event)
                self._close(self.blocks[-1])
            case "message_delta":
                self._update(event)
            case "message_stop":
                self._must(not self.is_open, "ends inside a block")
                self.ended = True
            case _:
                # Pings, and events that are newer than this program.
                pass

    def whole(self) -> Json:
        if self.message is None or not self.ended:
            raise _broken_off(self.received)
        return {**self.message, "content": self.blocks}

    def _must(self, fine: bool, what: str) -> None:
        if not fine:
            raise wire.garbled(self.received, f"the stream {what}")

    def _must_be_open(self, event: Json) -> None:
        self._must(self.is_open and event.get("index") == len(self.blocks) - 1, "mixes its blocks")

    def _grow(self, delta: Json) -> None:
        kind = wire.string(delta, "type") or ""
        if kind == "citations_delta":
            citations = self.blocks[-1].get("citations")
            self.blocks[-1]["citations"] = [
                *(citations if isinstance(citations, list) else []),
                delta.get("citation"),
            ]
            return
        name, grows = _DELTAS.get(kind, ("", ""))
        piece = wire.string(delta, name)
        self._must(piece is not None, f"has a piece of an unknown kind ({wire.visible(kind, 40)})")
        _grow(self.blocks[-1], grows, piece or "")

    def _close(self, block: Json) -> None:
        self.is_open = False
        whole = _object(block)
        arguments = whole.pop("partial_json", None)
        if isinstance(arguments, str) and arguments:
            whole["input"] = _arguments(arguments)
        self.blocks[-1] = whole

    def _update(self, event: Json) -> None:
        self._must(self.message is not None, "ends before it begins")
        assert self.message is not None
        self.message |= wire.mapping(event, "delta")
        counted = {name: value for name, value in wire.mapping(event, "usage").items() if value is not None}
        self.message["usage"] = wire.mapping(self.message, "usage") | counted


def _arguments(text: str) -> object:
    """What a tool is called with; the text itself where the model wrote no JSON, or its answer was cut in it."""
    try:
        return wire.value(text)
    except (ValueError, RecursionError):
        return text


def messages(received: Received) -> tuple[str, Json]:
    """A message from its events. Raises CallFailed for an error among them, disorder or a missing end."""
    message = _Message(received)
    for _, event in _events(received):
        message.take(event)
        if message.ended:
            break
    whole = message.whole()
    return wire.dumps(whole), whole


# Responses

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


def responses(received: Received) -> tuple[str, Json]:
    """A response from its last event, with its items as they stood when each was done, byte for byte."""
    items: dict[int, str] = {}
    last = -1
    for text, event in _events(received):
        number, kind = event.get("sequence_number"), event.get("type")
        if isinstance(number, int):
            if number <= last:
                raise wire.garbled(received, "the stream's events are out of order")
            last = number
        if kind == "error":
            raise failed_inside(received, event.get("error") or event)
        index = event.get("output_index")
        if kind == "response.output_item.done" and isinstance(index, int):
            # Only here is an encrypted item complete.
            items[index] = wire.raw(text, "item")
        if kind in _ENDS:
            return _ended(received, text, event, items)
    raise _broken_off(received)


def _ended(received: Received, text: str, event: Json, items: dict[int, str]) -> tuple[str, Json]:
    response = wire.mapping(event, "response")
    if not items:
        return wire.raw(text, "response"), response
    if sorted(items) != list(range(len(items))):
        raise wire.garbled(received, "the stream leaves out items of its output")
    rest = {name: value for name, value in response.items() if name != "output"}
    body = wire.joined(rest, "output", [items[index] for index in range(len(items))])
    return wire.parse(Received(received.status, (), body))
