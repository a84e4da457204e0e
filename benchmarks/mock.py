"""A provider that answers at once, or after a while, always the same: as little work as possible. For benchmarks.

python benchmarks/mock.py LATENCY_SECONDS    prints its port, serves until standard input ends
"""

from __future__ import annotations

import asyncio
import json
import sys

WORDS = " ".join(f"word{number % 97}" for number in range(250))
CHAT = {
    "id": "chatcmpl-0",
    "object": "chat.completion",
    "created": 0,
    "model": "mock",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": f"{WORDS}\nDecision: stay",
                "reasoning_content": WORDS,
                "refusal": None,
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 300, "completion_tokens": 500, "total_tokens": 800},
}
MESSAGE = {
    "id": "msg_0",
    "type": "message",
    "role": "assistant",
    "model": "mock",
    "content": [{"type": "thinking", "thinking": WORDS, "signature": "none"}, {"type": "text", "text": WORDS}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 300, "output_tokens": 500},
}


def response(body: object) -> bytes:
    text = json.dumps(body).encode()
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
        + str(len(text)).encode()
        + b"\r\n\r\n"
        + text
    )


CHAT_RESPONSE, MESSAGE_RESPONSE = response(CHAT), response(MESSAGE)


class Mock(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, POST with a length, one request at a time on a connection."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        answer = MESSAGE_RESPONSE if b"/messages" in head.split(b"\r\n", 1)[0] else CHAT_RESPONSE
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def main(latency: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Mock(latency), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
