"""The HTTP client of batches: any method, bounded bodies, no redirects. It knows no provider.

Calls have a client of their own (`gyges.models.http`), which posts bytes and nothing else, as fast as can be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

from gyges.models.batches import MOST_BYTES
from gyges.models.connection import is_loopback
from gyges.models.http import Refusal, timeouts


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
