"""A connection through the `openai` SDK's client, shared by the formats that OpenAI has. It reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2
import openai

from gyges.errors import UsageError
from gyges.models.connection import ASKED, MOST_BYTES, Connection, http_client, needed
from gyges.models.http import Wire, address, timeouts
from gyges.models.provider import Received, Sampling


def is_openai(base_url: str) -> bool:
    """Whether OpenAI itself (or Azure, which serves the same models) answers there."""
    host = urlsplit(base_url).hostname or ""
    return host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com"))


def refuse_budget(sampling: Sampling) -> None:
    if sampling.reasoning_tokens is not None:
        raise UsageError(
            "OpenAI's formats take no budget of reasoning tokens", "leave reasoning_tokens out, set an effort"
        )


class AsyncOpenAI(openai.AsyncOpenAI):
    """The SDK's client, by whose name it goes. What it does alike for every request is done once."""

    _needed: dict[str, str | openai.Omit] | None = None

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        if self._needed is None:
            self._needed = needed(super().default_headers)
        return self._needed

    def _prepare_url(self, url: str) -> httpx2.URL:
        return address(url)


class OpenAIConnection:
    """Posts bytes to `path` below `base_url`."""

    def __init__(
        self,
        base_url: str,
        key: str,
        path: str,
        connections: int = 1000,
        most_bytes: int = MOST_BYTES,
        wire: Wire | None = None,
    ) -> None:
        own = is_openai(base_url)
        # In full: the SDK would put every call's address together anew, a tenth of what a call costs.
        self._url = base_url.rstrip("/") + path
        self._client = AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=timeouts(),
            default_headers=ASKED,
            # The environment's organization and project are OpenAI's business only.
            organization=None if own else "",
            project=None if own else "",
            http_client=http_client(base_url, connections, most_bytes, wire),
        )
        self._connection = Connection(base_url, key, self._post, openai.APIStatusError, openai.APIConnectionError)

    async def send(self, body: bytes, headers: Mapping[str, str]) -> Received:
        return await self._connection.send(body, headers)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        # The prepared bytes go out as they are: what is stored is what is sent, and the SDK walks no types.
        return await self._client.post(
            self._url,
            content=body,
            cast_to=httpx2.Response,
            options={"headers": headers, "security": {"bearer_auth": True}},
        )

    async def close(self) -> None:
        await self._client.close()
