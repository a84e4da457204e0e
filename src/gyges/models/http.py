"""The HTTP client under both SDKs: bytes posted, a whole answer taken. It knows neither formats nor keys.

The SDKs take any `httpx2.AsyncClient`. httpx2's own asks anew for every request what never changes here (cookies,
redirects, authentication, decoders), and that was a third of what a call cost. This one hands the request as the
SDK built it to a `Wire`, and what came back to the SDK.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS = 10.0
READ_SECONDS = 600.0
"""Between two reads. The whole call's deadline is its caller's."""

_IN_PIECES = 2**19
"""Bytes of a request above which it is written in pieces: at once it would hold everybody else up."""

IN_PROCESS = "http://organisms.invalid"
"""Where organisms are taken to be that answer in this very process; no such host can exist."""

Headers = Iterable[tuple[str, str]]


class Refusal(httpx2.TransportError):
    """An answer that is not taken: too large, or compressed although that was not asked for."""


class Taken(NamedTuple):
    """An answer, whole."""

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes


class Wire(Protocol):
    """Where requests go and answers come from."""

    async def post(self, url: str, headers: Headers, body: bytes) -> Taken:
        """Post once. Raises Refusal, or an error of aiohttp's or the system's when no answer came."""

    async def close(self) -> None: ...


@lru_cache(maxsize=256)
def address(url: str) -> httpx2.URL:
    """A whole URL. There are few of them, and taking one apart costs as much as posting to it."""
    return httpx2.URL(url)


class Client(httpx2.AsyncClient):
    """What an SDK calls. Errors of the wire go through it unchanged."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(transport=httpx2.AsyncBaseTransport(), trust_env=False, timeout=timeouts())
        self._wire = wire

    def build_request(
        self,
        method: str,
        url: httpx2.URL | str,
        *,
        content: object = None,
        headers: object = None,
        params: object = None,
        **others: object,
    ) -> httpx2.Request:
        """Only what the SDKs are asked for here: bytes posted to an address. Raises TypeError for all else."""
        if not isinstance(content, bytes) or params or others.get("files") or others.get("data"):
            raise TypeError("this client posts bytes and nothing else")
        assert headers is None or isinstance(headers, (httpx2.Headers, list))
        request = httpx2.Request(method, address(str(url)), headers=headers, stream=_Body(content))
        # Headers are ASCII, as the SDK made sure of; httpx2 would find it out anew for every one it reads.
        request.headers.encoding = "ascii"
        return request

    async def send(self, request: httpx2.Request, **_: object) -> httpx2.Response:
        assert isinstance(request.stream, _Body)
        taken = await self._wire.post(str(request.url), request.headers.multi_items(), request.stream.content)
        return _Whole(taken, request)

    async def aclose(self) -> None:
        await self._wire.close()
        await super().aclose()


class _Body(httpx2.AsyncByteStream):
    """A request's bytes, at hand."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content


class _Whole(httpx2.Response):
    """A response that was read when it was made."""

    def __init__(self, taken: Taken, request: httpx2.Request) -> None:
        super().__init__(taken.status, headers=list(taken.headers), stream=_Body(taken.body), request=request)
        self._taken = taken.body
        self.is_closed = True

    @property
    def content(self) -> bytes:
        return self._taken

    def read(self) -> bytes:
        return self._taken

    async def aread(self) -> bytes:
        return self._taken

    async def aclose(self) -> None:
        pass


def is_in_process(base_url: str) -> bool:
    return urlsplit(base_url).hostname == urlsplit(IN_PROCESS).hostname


def timeouts() -> httpx2.Timeout:
    # Waiting for a free connection is queueing, not the provider's fault: as long as an answer may take.
    return httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)


class Sockets:
    """The real wire: aiohttp, with explicit limits, no redirects, no cookies, bounded bodies."""

    def __init__(self, base_url: str, connections: int, most_bytes: int, *, trust_env: bool) -> None:
        """With `trust_env` the environment says where a proxy and further certificates are."""
        self._base_url = base_url
        self._connections = connections
        self._most_bytes = most_bytes
        self._trust_env = trust_env
        self._proxy = _proxy(base_url) if trust_env else None
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, headers: Headers, body: bytes) -> Taken:
        # Made by the first call: a session belongs to the loop that it is made in.
        session = self._session or self._open()
        data = io.BytesIO(body) if len(body) > _IN_PIECES else body
        async with session.post(
            url, headers=list(headers), data=data, allow_redirects=False, proxy=self._proxy
        ) as answer:
            encoding = answer.headers.get("content-encoding", "identity").strip().lower()
            if encoding not in ("", "identity"):
                raise Refusal("the answer is compressed although that was not asked for")
            return Taken(answer.status, answer.raw_headers, await self._whole(answer))

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=self._connections, ssl=self._tls())
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(
                total=None, connect=READ_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self._session

    def _tls(self) -> ssl.SSLContext | bool:
        secure = urlsplit(self._base_url).scheme == "https"
        return httpx2.create_ssl_context(trust_env=self._trust_env) if secure else True

    async def _whole(self, answer: aiohttp.ClientResponse) -> bytes:
        """The body. Raises Refusal when it is larger than may be."""
        length = answer.content_length
        if length is not None and length <= self._most_bytes:
            return await answer.read()
        chunks, taken = [], length or 0
        async for chunk in answer.content.iter_any():
            taken += len(chunk)
            if taken > self._most_bytes:
                raise Refusal(f"the answer is larger than {self._most_bytes} bytes")
            chunks.append(chunk)
        return b"".join(chunks)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _proxy(base_url: str) -> str | None:
    """The proxy that the environment names for an address."""
    parts = urlsplit(base_url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
