"""OpenAI's batches: a file of requests goes up, a batch of it is made, files of answers and errors come down.

A batch carries our key in its metadata, by which it is found again. It knows nothing of episodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import httpx2
import openai

from gyges.models import wire
from gyges.models.batches import Item, Result, State
from gyges.models.batches_http import client, good, name_of, read, results_in
from gyges.models.connection import ASKED, Connection, Post
from gyges.models.http import timeouts
from gyges.models.openai_connection import is_openai
from gyges.models.provider import CallFailed, Received, Trouble
from gyges.models.wire import Json

WINDOW = "24h"
"""The only one there is."""
ENDED = frozenset({"completed", "expired", "cancelled", "failed"})
KEY = "gyges"
PAGE = 100
"""Batches in one answer, when they are listed."""

Path = Literal["/chat/completions", "/responses"]


class OpenAIBatches:
    """Batches of one kind of request, at one address, which ends in `/v1`."""

    def __init__(self, base_url: str, key: str, path: Path) -> None:
        own = is_openai(base_url)
        self._path = path
        self._client = openai.AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=timeouts(),
            default_headers=ASKED,
            organization=None if own else "",
            project=None if own else "",
            http_client=client(base_url),
        )
        self._base_url = base_url
        self._key = key

    async def submit(self, key: str, items: Sequence[Item]) -> str:
        url = f"/v1{self._path}"
        lines = b"".join(
            b'{"custom_id":%s,"method":"POST","url":%s,"body":%s}\n'
            % (wire.encode(wire.dumps(item.id)), wire.encode(wire.dumps(url)), item.body)
            for item in items
        )
        file = wire.string(await self._upload(f"{key}.jsonl", lines), "id")
        asked = {
            "input_file_id": file,
            "endpoint": url,
            "completion_window": WINDOW,
            "metadata": {KEY: key},
        }
        made = await self._json("/batches", wire.encode(wire.dumps(asked)))
        return name_of(made)

    async def find(self, key: str, items: Sequence[Item], since: float) -> str | None:
        del items  # The key is enough.
        after = ""
        while True:
            page = await self._json(f"/batches?limit={PAGE}{after}")
            batches = wire.objects(page.get("data"))
            for one in batches:
                if wire.mapping(one, "metadata").get(KEY) == key:
                    return name_of(one)
            made = batches[-1].get("created_at") if batches else None
            if not page.get("has_more") or not isinstance(made, int | float) or made < since:
                return None
            after = f"&after={name_of(batches[-1])}"

    async def state(self, name: str) -> State:
        found = await self._json(f"/batches/{name}")
        words = wire.string(found, "status") or ""
        errors = wire.objects(wire.mapping(found, "errors").get("data"))
        why = (
            "; ".join(wire.visible(str(error.get("message"))) for error in errors[:3]) if words == "failed" else ""
        )
        counts = {
            count: number
            for count, number in wire.mapping(found, "request_counts").items()
            if isinstance(number, int)
        }
        return State(name, words in ENDED, words, why or ("no reason given" if words == "failed" else ""), counts)

    async def results(self, name: str) -> list[Result]:
        found = await self._json(f"/batches/{name}")
        files = [wire.string(found, field) for field in ("output_file_id", "error_file_id")]
        results = []
        for file in filter(None, files):
            received = await self._get(f"/files/{file}/content")
            results += results_in(received, _result)
        return results

    async def close(self) -> None:
        await self._client.close()

    async def _upload(self, name: str, content: bytes) -> Json:
        async def post(_: bytes, headers: Mapping[str, str]) -> httpx2.Response:
            return await self._client.post(
                "/files",
                body={"purpose": "batch"},
                files=[("file", (name, content, "application/jsonl"))],
                cast_to=httpx2.Response,
                options={
                    "headers": {**headers, "Content-Type": "multipart/form-data"},
                    "security": {"bearer_auth": True},
                },
            )

        return read(await self._connection(post).send(b"", {}))

    async def _json(self, path: str, body: bytes | None = None) -> Json:
        if body is None:
            return read(await self._get(path))

        async def post(body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
            return await self._client.post(
                path,
                content=body,
                cast_to=httpx2.Response,
                options={
                    "headers": {**headers, "Content-Type": "application/json"},
                    "security": {"bearer_auth": True},
                },
            )

        return read(await self._connection(post).send(body, {}))

    async def _get(self, path: str) -> Received:
        async def get(_: bytes, headers: Mapping[str, str]) -> httpx2.Response:
            return await self._client.get(
                path,
                cast_to=httpx2.Response,
                options={"headers": headers, "security": {"bearer_auth": True}},
            )

        return good(await self._connection(get).send(b"", {}))

    def _connection(self, post: Post) -> Connection:
        return Connection(self._base_url, self._key, post, openai.APIStatusError, openai.APIConnectionError)


def _result(text: str, found: Json) -> Result:
    """A line of either file."""
    id, error = str(found.get("custom_id")), wire.mapping(found, "error")
    response = wire.mapping(found, "response")
    if not response:
        code, why = wire.string(error, "code") or "", wire.string(error, "message") or "no reason given"
        return Result(id, failure=CallFailed(Trouble.TRANSIENT, f"{code}: {wire.visible(why)}"))
    status = response.get("status_code")
    headers = (("x-request-id", str(response.get("request_id") or "")),)
    body = wire.raw(text, "response", "body").encode("utf-8", "surrogatepass")
    return Result(id, Received(status if isinstance(status, int) else 200, headers, body))
