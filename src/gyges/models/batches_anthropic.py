"""Anthropic's Message Batches: requests go up in one body, results come down as lines, in any order.

A batch carries no name of ours, but the ids of its requests do, and those come back with the results: a lost
submission is looked for among the batches of that time and size. It knows nothing of episodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import anthropic
import httpx2

from gyges.models import wire
from gyges.models.batches import Item, NotYetKnown, Result, State
from gyges.models.batches_http import client, good, name_of, read, results_in
from gyges.models.connection import ASKED, Connection, Post
from gyges.models.http import timeouts
from gyges.models.provider import CallFailed, Received, Trouble
from gyges.models.wire import Json

PATH = "/v1/messages/batches"
PAGE = 100
SECONDS_APART = 300.0
"""How far the provider's clock may be from ours."""
STATUS_OF = {"overloaded_error": 529, "api_error": 500, "rate_limit_error": 429, "timeout_error": 504}
"""The status that a request by itself would have had; every other error is a 400."""


class AnthropicBatches:
    """Batches at one address, which ends before `/v1`."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._client = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=timeouts(),
            default_headers=ASKED,
            open_telemetry=False,
            http_client=client(base_url),
        )

    async def submit(self, key: str, items: Sequence[Item]) -> str:
        del key  # It is in the ids of the requests.
        spelt = [f'{{"custom_id":{wire.dumps(item.id)},"params":{_text(item.body)}}}' for item in items]
        return name_of(await self._json(PATH, wire.joined({}, "requests", spelt)))

    async def find(self, key: str, items: Sequence[Item], since: float) -> str | None:
        ids = {item.id for item in items}
        waiting = ""
        for one in await self._listed(since - SECONDS_APART):
            counts = _counts(one)
            if sum(counts.values()) != len(ids):
                continue
            if wire.string(one, "processing_status") != "ended":
                waiting = name_of(one)
            elif {result.id for result in await self.results(name_of(one))} == ids:
                return name_of(one)
        if waiting:
            raise NotYetKnown(Trouble.TRANSIENT, f"batch {waiting} may be the one of {key}, and has not ended")
        return None

    async def state(self, name: str) -> State:
        found = await self._json(f"{PATH}/{name}")
        words = wire.string(found, "processing_status") or ""
        return State(name, words == "ended", words, counts=_counts(found))

    async def results(self, name: str) -> list[Result]:
        return results_in(await self._get(f"{PATH}/{name}/results"), _result)

    async def close(self) -> None:
        await self._client.close()

    async def _listed(self, since: float) -> list[Json]:
        """The batches made since then, newest first."""
        found: list[Json] = []
        after = ""
        while True:
            page = await self._json(f"{PATH}?limit={PAGE}{after}")
            batches = wire.objects(page.get("data"))
            recent = [one for one in batches if _made(one) >= since]
            found += recent
            if not page.get("has_more") or len(recent) < len(batches) or not batches:
                return found
            after = f"&after_id={name_of(batches[-1])}"

    async def _json(self, path: str, body: bytes | None = None) -> Json:
        if body is None:
            return read(await self._get(path))

        async def post(body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
            return await self._client.post(
                path,
                content=body,
                cast_to=httpx2.Response,
                options={"headers": {**headers, "Content-Type": "application/json"}},
            )

        return read(await self._connection(post).send(body, {}))

    async def _get(self, path: str) -> Received:
        async def get(_: bytes, headers: Mapping[str, str]) -> httpx2.Response:
            return await self._client.get(path, cast_to=httpx2.Response, options={"headers": headers})

        return good(await self._connection(get).send(b"", {}))

    def _connection(self, post: Post) -> Connection:
        return Connection(self._base_url, self._key, post, anthropic.APIStatusError, anthropic.APIConnectionError)


def _text(body: bytes) -> str:
    return body.decode("utf-8", "surrogatepass")


def _counts(batch: Json) -> dict[str, int]:
    return {name: count for name, count in wire.mapping(batch, "request_counts").items() if isinstance(count, int)}


def _made(batch: Json) -> float:
    try:
        return datetime.fromisoformat(wire.string(batch, "created_at") or "").timestamp()
    except ValueError:
        return float("inf")  # Made at no time that we understand: it may be ours.


def _result(text: str, found: Json) -> Result:
    """A line of the results."""
    id, result = str(found.get("custom_id")), wire.mapping(found, "result")
    match result.get("type"):
        case "succeeded":
            return Result(
                id, Received(200, (), wire.raw(text, "result", "message").encode("utf-8", "surrogatepass"))
            )
        case "errored":
            body = wire.raw(text, "result", "error").encode("utf-8", "surrogatepass")
            kind = wire.string(wire.mapping(wire.mapping(result, "error"), "error"), "type") or ""
            return Result(id, Received(STATUS_OF.get(kind, 400), (), body))
        case other:
            return Result(
                id, failure=CallFailed(Trouble.TRANSIENT, f"the request is {other}: it was not answered")
            )
