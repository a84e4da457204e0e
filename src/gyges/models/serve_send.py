"""How an answer leaves the server: whole, or with a fault of transport. It knows no wire format.

What was handed to the network completely is told to the witness as sent, and everything else as broken.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gyges.models.serve_faults import Drip, Fault, Hang, Reset, Truncate
from gyges.models.serve_witness import Witness

if TYPE_CHECKING:
    from aiohttp import web

EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, before it is sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "application/json"


async def send(
    request: web.Request, answer: Answer, fault: Fault | None, log: Witness, number: int
) -> web.StreamResponse:
    """Send an answer as the fault has it. Note in the witness log what became of it."""
    name = fault.kind if fault else ""
    try:
        response = await _sent(request, answer, fault)
    except ConnectionError as error:
        # Whoever asked is gone: there is nobody to tell, and nothing that went wrong here.
        log.broken(number, type(error).__name__, name)
        return _nothing()
    except asyncio.CancelledError as error:
        log.broken(number, type(error).__name__, name)
        raise
    if response is None:
        log.broken(number, "by the fault schedule", name)
        return _nothing()
    log.sent(number, answer.status, answer.body, name)
    return response


async def _sent(request: web.Request, answer: Answer, fault: Fault | None) -> web.StreamResponse | None:
    """None where the answer was not sent to its end."""
    match fault:
        case Hang(seconds=seconds, after=None):
            await asyncio.sleep(seconds)
        case Hang(seconds=seconds, after=int(after)):
            return await _with_pause(request, answer, after, seconds)
        case Drip(seconds=seconds, size=size):
            return await _dripped(request, answer, seconds, size)
        case Reset(after=None):
            _abort(request)
            return None
        case Reset(after=int(after)):
            await _begun(request, answer, answer.body[:after] if after >= 0 else answer.body)
            _abort(request)
            return None
        case Truncate(keep=keep, honest=False):
            await _begun(request, answer, answer.body[: int(keep * len(answer.body))])
            if request.transport is not None:
                request.transport.close()
            return None
    return await _whole(request, answer)


async def _whole(request: web.Request, answer: Answer) -> web.StreamResponse:
    from aiohttp import web

    if answer.kind == EVENTS:
        return await _streamed(request, answer)
    response = web.Response(status=answer.status, body=answer.body, headers=_headers(answer))
    await response.prepare(request)
    await response.write_eof()
    return response


async def _streamed(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Server-sent events, each written by itself."""
    from aiohttp import web

    response = web.StreamResponse(status=answer.status, headers=_headers(answer))
    await response.prepare(request)
    for event in answer.body.split(b"\n\n")[:-1]:
        await response.write(event + b"\n\n")
    await response.write_eof()
    return response


async def _begun(request: web.Request, answer: Answer, first: bytes) -> web.StreamResponse:
    """Headers that announce the whole body, and the first bytes of it."""
    from aiohttp import web

    response = web.StreamResponse(status=answer.status, headers=_headers(answer))
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(first)
    return response


async def _with_pause(request: web.Request, answer: Answer, after: int, seconds: float) -> web.StreamResponse:
    response = await _begun(request, answer, answer.body[:after])
    await asyncio.sleep(seconds)
    if rest := answer.body[after:]:
        await response.write(rest)
    await response.write_eof()
    return response


async def _dripped(request: web.Request, answer: Answer, seconds: float, size: int) -> web.StreamResponse:
    response = await _begun(request, answer, b"")
    for start in range(0, len(answer.body), size):
        await response.write(answer.body[start : start + size])
        await asyncio.sleep(seconds)
    await response.write_eof()
    return response


def _headers(answer: Answer) -> dict[str, str]:
    return {"content-type": answer.kind, **answer.headers}


def _abort(request: web.Request) -> None:
    """Reset the connection (RST), instead of closing it in good order."""
    if (transport := request.transport) is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def _nothing() -> web.StreamResponse:
    """What the handler returns when the connection is gone."""
    from aiohttp import web

    return web.Response()
