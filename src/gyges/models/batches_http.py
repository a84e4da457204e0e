"""The HTTP client of batches and what all their answers have: any method, bounded bodies, no redirects, lines.

It knows no provider. Calls have a client of their own (`gyges.models.http`), which posts bytes and nothing else,
as fast as can be.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

import httpx2

from gyges.models import wire
from gyges.models.batches import MOST_BYTES, Result
from gyges.models.connection import is_loopback
from gyges.models.failures import failed
from gyges.models.http import Refusal, timeouts
from gyges.models.provider import CallFailed, Received, Trouble
from gyges.models.wire import Json


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends in an error after `MOST_BYTES`."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self._stream:
            taken += len(chunk)
            if taken > MOST_BYTES:
                raise Refusal(f"the answer is larger than {MOST_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx2.Response) -> None:
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refusal("the answer is compressed although that was not asked for")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _Bounded(response.stream)


def client(base_url: str) -> httpx2.AsyncClient:
    """For an SDK."""
    return httpx2.AsyncClient(
        follow_redirects=False,
        timeout=timeouts(),
        # A proxy from the environment is no way to reach this very machine.
        trust_env=not is_loopback(base_url),
        event_hooks={"response": [_bound]},
    )


def good(received: Received) -> Received:
    """An answer that is none of a failure. Raises CallFailed."""
    if not 200 <= received.status < 300:
        raise failed(received)
    return received


def read(received: Received) -> Json:
    """The object in a good answer. Raises CallFailed."""
    return wire.parse(good(received))[1]


def name_of(batch: Json) -> str:
    """The id that the provider gave a batch. Raises CallFailed where it gave none."""
    name = wire.string(batch, "id")
    if not name:
        raise CallFailed(Trouble.GARBLED, "the provider gave a batch no id")
    return name


def results_in(received: Received, result: Callable[[str, Json], Result]) -> list[Result]:
    """What the lines of a file of results hold; `result` gets a line's text and the object in it.

    The bytes of an answer are those of its line. Raises CallFailed where a line is no JSON.
    """
    found = []
    for line in received.body.split(b"\n"):
        if line.strip():
            text = line.decode("utf-8", "surrogatepass")
            found.append(result(text, _object(text)))
    return found


def _object(text: str) -> Json:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CallFailed(Trouble.GARBLED, "a line of a batch's results is no JSON") from error
    if not isinstance(found, dict):
        raise CallFailed(Trouble.GARBLED, "a line of a batch's results is no object")
    return found
