"""Bytes posted through an SDK's own client, and the bytes that came back. It reads neither.

The SDK adds key and address and reports errors; its retries, redirects, compression and parsing are off.
What a server can send is bounded, and the key is in nothing that leaves this module.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import aiohttp
import httpx2

from gyges.models.http import CONNECT_SECONDS, Client, Refusal, Sockets, Wire
from gyges.models.provider import CallFailed, Received, Trouble

if TYPE_CHECKING:
    import anthropic
    import openai

V = TypeVar("V")

Post = Callable[[bytes, Mapping[str, str]], Awaitable[httpx2.Response]]
"""Posts a body with extra headers."""

MOST_BYTES = 32 * 1024 * 1024
"""The largest body that is taken from a provider."""

ASKED = {"Accept-Encoding": "identity"}
"""A compressed answer could be a thousand times larger than its bytes."""
UNSAID = "x-stainless-"
"""How the headers begin in which the SDKs tell of this machine: half of all, and nobody needs them."""

PLACEHOLDER = "no-key"
"""Sent as the key where none is needed."""
SECRET_FROM = 16
"""Characters: real keys are longer, and the words that open servers are given for one are shorter."""

_NEVER_KEPT = frozenset({"set-cookie", "authorization", "x-api-key"})


def needed(headers: Mapping[str, V]) -> dict[str, V]:
    """An SDK's headers for every request, without what it tells of itself."""
    return {name: value for name, value in headers.items() if not name.lower().startswith(UNSAID)}


def is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def http_client(base_url: str, connections: int, most_bytes: int, wire: Wire | None = None) -> Client:
    """An SDK's client, of sockets unless another wire is given."""
    # A proxy from the environment is no way to reach this very machine.
    return Client(wire or Sockets(base_url, connections, most_bytes, trust_env=not is_loopback(base_url)))


class Connection:
    """Posts through an SDK; gives `Received` for every status, and raises CallFailed when no answer came."""

    def __init__(
        self,
        base_url: str,
        key: str,
        post: Post,
        status_error: type[openai.APIStatusError] | type[anthropic.APIStatusError],
        connection_error: type[openai.APIConnectionError] | type[anthropic.APIConnectionError],
    ) -> None:
        self._base_url = base_url
        # A word such as `test`, given to open servers for a key, is no secret; masking it would change answers.
        self._secret = key.encode() if len(key) >= SECRET_FROM and key != PLACEHOLDER else b""
        self._post = post
        self._status_error = status_error
        self._connection_error = connection_error

    async def send(self, body: bytes, headers: Mapping[str, str]) -> Received:
        response: httpx2.Response | None = None
        failure: CallFailed | None = None
        try:
            response = await self._post(body, headers)
        except self._status_error as error:
            response = error.response
        except (
            self._connection_error,
            httpx2.HTTPError,
            httpx2.InvalidURL,
            aiohttp.ClientError,
            OSError,
        ) as error:
            failure = self._lost(error)
        if response is None:
            # Outside the `except`: the SDK's error holds the request with its key, and must not hang on to ours.
            assert failure is not None
            raise failure
        return self._received(response)

    def _received(self, response: httpx2.Response) -> Received:
        headers = tuple(
            (name, self._masked(value.encode()).decode() if self._secret else value)
            for name, value in response.headers.multi_items()
            if name.lower() not in _NEVER_KEPT
        )
        return Received(response.status_code, headers, self._masked(response.content))

    def _masked(self, text: bytes) -> bytes:
        """Without our key: a server that echoes it must not get it stored. The length stays the same."""
        return text.replace(self._secret, b"*" * len(self._secret)) if self._secret else text

    def _lost(self, error: BaseException) -> CallFailed:
        causes = tuple(_chain(error))
        refused = next((cause for cause in causes if isinstance(cause, Refusal)), None)
        if refused is not None:
            return CallFailed(Trouble.GARBLED, str(refused))
        for kinds, what in _UNREACHABLE:
            if any(isinstance(cause, kinds) for cause in causes):
                return CallFailed(Trouble.UNREACHABLE, f"{what}: {self._base_url}")
        words = self._masked(str(causes[-1]).encode("utf-8", "replace")).decode()
        return CallFailed(Trouble.TRANSIENT, f"no answer came ({type(causes[-1]).__name__}: {words})"[:500])


_UNREACHABLE: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((socket.gaierror, aiohttp.ClientConnectorDNSError), "no such host"),
    ((ssl.SSLError, aiohttp.ClientSSLError), "no secure connection (TLS)"),
    ((httpx2.UnsupportedProtocol, httpx2.InvalidURL, aiohttp.InvalidURL), "not an address that can be called"),
    ((aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError), "the proxy did not connect"),
    ((ConnectionRefusedError,), "nobody listens there (connection refused)"),
    ((aiohttp.ConnectionTimeoutError,), f"no connection within {CONNECT_SECONDS:g} s"),
    ((aiohttp.ClientConnectorError,), "no connection"),
)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
