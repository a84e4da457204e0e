"""Fault schedules: which requests they fit, and what each fault looks like from the other end of the socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import anthropic
import openai
import pytest

from gyges.errors import AuthoringError
from gyges.models.organism import read_organisms
from gyges.models.organism_corpus import Corpus
from gyges.models.serve import serve
from gyges.models.serve_damage import changed, disturbed
from gyges.models.serve_faults import Change, Events, Schedule, read_schedule
from gyges.scenarios.plan import Seed

ORGANISMS = read_organisms(Corpus([]))
CHAT = "/v1/chat/completions"
KEYS = {"Authorization": "Bearer any", "x-api-key": "any"}


def schedule(text: str, folder: Path) -> Path:
    (folder / "faults.yaml").write_text(text, "utf-8")
    return folder / "faults.yaml"


@asynccontextmanager
async def served(faults: Path, witness: Path | None = None) -> AsyncIterator[str]:
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = serve(ORGANISMS, seed=Seed(3), faults=faults, witness=witness, ready=address.set_result)
    task = asyncio.create_task(serving)
    try:
        yield await asyncio.wait_for(address, 10)
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def question(model: str = "faker") -> bytes:
    return json.dumps({"model": model, "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]}).encode()


async def asked(address: str, path: str = CHAT, model: str = "faker", patience: float = 5) -> tuple[int, bytes]:
    limit = aiohttp.ClientTimeout(patience)
    async with (
        aiohttp.ClientSession(headers=KEYS, timeout=limit) as session,
        session.post(address + path, data=question(model), allow_redirects=False) as reply,
    ):
        return reply.status, await reply.read()


def taken(text: str, folder: Path, requests: list[tuple[str, str, float]]) -> list[bool]:
    plan: Schedule = read_schedule(schedule(text, folder))
    return [plan.take(path, question(model), elapsed) is not None for path, model, elapsed in requests]


SIX = [(CHAT, "faker", 0.0), (CHAT, "honest", 1.0)] * 3


@pytest.mark.parametrize(
    ("match", "count", "expected"),
    [
        ("{}", "", [1, 1, 1, 1, 1, 1]),
        ("{nth: 2}", "", [0, 1, 0, 0, 0, 0]),
        ("{nth: [1, 4]}", "", [1, 0, 0, 1, 0, 0]),
        ("{every: 3}", "", [0, 0, 1, 0, 0, 1]),
        ("{model: hon}", "", [0, 1, 0, 1, 0, 1]),
        ("{model: hon, nth: 2}", "", [0, 0, 0, 1, 0, 0]),
        ("{path: messages}", "", [0, 0, 0, 0, 0, 0]),
        ("{body: 'content.*Hi'}", "", [1, 1, 1, 1, 1, 1]),
        ("{begin: 0.5}", "", [0, 1, 0, 1, 0, 1]),
        ("{duration: 0.5}", "", [1, 0, 1, 0, 1, 0]),
        ("{}", "count: 2", [1, 1, 0, 0, 0, 0]),
        ("{share: 0}", "", [0, 0, 0, 0, 0, 0]),
    ],
)
def test_a_schedule_fits_the_requests_it_names(
    match: str, count: str, expected: list[int], tmp_path: Path
) -> None:
    text = f"faults:\n  - match: {match}\n    fault: {{kind: reset}}\n    {count}\n"
    assert taken(text, tmp_path, SIX) == [bool(each) for each in expected]


def test_a_share_is_drawn_from_the_schedule_s_seed(tmp_path: Path) -> None:
    text = "seed: 4\nfaults:\n  - match: {share: 0.3}\n    fault: {kind: reset}\n"
    first = taken(text, tmp_path, SIX * 200)
    assert 0.25 < sum(first) / len(first) < 0.35
    assert taken(text, tmp_path, SIX * 200) == first
    assert taken(text.replace("4", "5"), tmp_path, SIX * 200) != first


def test_an_entry_that_is_used_up_leaves_the_request_to_the_next(tmp_path: Path) -> None:
    entries = "\n".join(f"  - fault: {{kind: status, status: {status}}}\n    count: 1" for status in (500, 503))
    plan = read_schedule(schedule(f"faults:\n{entries}\n", tmp_path))
    found = [plan.take(CHAT, b"", 0) for _ in range(3)]
    assert [getattr(fault, "status", None) for fault in found] == [500, 503, None]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("faults:\n  - fault: {kind: explode}\n", "explode"),
        ("faults:\n  - match: {mdoel: a}\n    fault: {kind: hang}\n", "unknown key 'mdoel'"),
        ("faults:\n  - match: {model: '('}\n    fault: {kind: hang}\n", "no regular expression"),
        ("faults:\n  - fault: {kind: change, set: {a: '{'}}\n", "a"),
    ],
)
def test_a_wrong_schedule_is_refused_with_its_place(text: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match=what) as raised:
        read_schedule(schedule(text, tmp_path))
    assert "faults.yaml:2:" in str(raised.value) or "faults.yaml:3:" in str(raised.value)


@pytest.mark.parametrize(
    ("status", "one", "other"),
    [
        (401, openai.AuthenticationError, anthropic.AuthenticationError),
        (403, openai.PermissionDeniedError, anthropic.PermissionDeniedError),
        (429, openai.RateLimitError, anthropic.RateLimitError),
        (500, openai.InternalServerError, anthropic.InternalServerError),
        (529, openai.InternalServerError, anthropic.InternalServerError),
    ],
)
async def test_a_status_comes_with_the_format_s_own_error(
    status: int, one: type[openai.APIStatusError], other: type[anthropic.APIStatusError], tmp_path: Path
) -> None:
    fault = f"{{kind: status, status: {status}, headers: {{retry-after: '7'}}}}"
    hello = {"role": "user", "content": "Hi"}
    async with (
        served(schedule(f"faults:\n  - fault: {fault}\n", tmp_path)) as address,
        openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0) as chat,
        anthropic.AsyncAnthropic(base_url=address, api_key="any", max_retries=0) as claude,
    ):
        with pytest.raises(one, match="planted") as first:
            await chat.chat.completions.create(model="faker", messages=[hello])  # type: ignore[list-item]
        with pytest.raises(other, match="planted"):
            await claude.messages.create(model="faker", max_tokens=9, messages=[hello])  # type: ignore[list-item]
    assert first.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("{kind: reset}", aiohttp.ClientConnectionError),
        ("{kind: reset, after: 20}", aiohttp.ClientError),
        ("{kind: truncate, keep: 0.5, honest: false}", aiohttp.ClientPayloadError),
        ("{kind: hang}", TimeoutError),
        ("{kind: hang, after: 10}", TimeoutError),
        ("{kind: drip, seconds: 0.05}", TimeoutError),
    ],
)
async def test_what_breaks_on_the_way_is_no_answer_and_the_witness_says_so(
    fault: str, error: type[Exception], tmp_path: Path
) -> None:
    log = tmp_path / "witness.jsonl"
    async with served(schedule(f"faults:\n  - fault: {fault}\n    count: 1\n", tmp_path), log) as address:
        with pytest.raises(error):
            await asked(address, patience=0.4)
        status, body = await asked(address)
        assert (status, json.loads(body)["object"]) == (200, "chat.completion")
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    ends = {line["n"]: (line["event"], line.get("fault")) for line in events if line["event"] != "received"}
    assert ends == {1: ("broken", fault.split(",")[0].strip("{}").split()[1]), 2: ("sent", None)}


async def test_after_the_whole_body_a_reset_leaves_the_answer(tmp_path: Path) -> None:
    async with served(schedule("faults:\n  - fault: {kind: reset, after: -1}\n", tmp_path)) as address:
        try:
            status, body = await asked(address)
        except aiohttp.ClientError:
            return  # the reset overtook the bytes, as it may
        assert (status, json.loads(body)["object"]) == (200, "chat.completion")


async def test_a_short_hang_ends_in_the_answer(tmp_path: Path) -> None:
    async with served(schedule("faults:\n  - fault: {kind: hang, seconds: 0.2}\n", tmp_path)) as address:
        start = time.monotonic()
        assert (await asked(address))[0] == 200
        assert time.monotonic() - start > 0.2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("{kind: garbage, body: '<html>busy</html>'}", (200, b"<html>busy</html>")),
        ("{kind: garbage}", (200, b"")),
        ("{kind: garbage, base64: AAD/}", (200, b"\x00\x00\xff")),
        ("{kind: garbage, body: ab, repeat: 3}", (200, b"ababab")),
        ("{kind: truncate, keep: 0}", (200, b"")),
        ("{kind: status, status: 418, body: tea}", (418, b"tea")),
        ("{kind: redirect}", (307, b"")),
    ],
)
async def test_a_body_that_is_no_answer_arrives_as_it_was_planted(
    fault: str, expected: tuple[int, bytes], tmp_path: Path
) -> None:
    async with served(schedule(f"faults:\n  - fault: {fault}\n", tmp_path)) as address:
        assert await asked(address) == expected


async def test_an_answer_s_json_can_be_changed(tmp_path: Path) -> None:
    fault = "{kind: change, set: {choices.0.finish_reason: '\"content_filter\"'}, remove: [usage]}"
    async with served(schedule(f"faults:\n  - fault: {fault}\n", tmp_path)) as address:
        status, body = await asked(address)
    answer = json.loads(body)
    assert (status, answer["choices"][0]["finish_reason"], "usage" in answer) == (200, "content_filter", False)


@pytest.mark.parametrize(
    ("values", "remove", "expected"),
    [
        ({"a.0": "3"}, (), {"a": [3, 2], "b": {"c": 1}}),
        ({"b.d": "null"}, ("a",), {"b": {"c": 1, "d": None}}),
        ({}, ("a.1", "b.c"), {"a": [1], "b": {}}),
        ({"a": "[]"}, (), {"a": [], "b": {"c": 1}}),
    ],
)
def test_changes_reach_into_objects_and_lists(
    values: dict[str, str], remove: tuple[str, ...], expected: dict[str, object]
) -> None:
    fault = Change(kind="change", set=values, remove=remove)
    assert json.loads(changed(b'{"a": [1, 2], "b": {"c": 1}}', fault)) == expected


STREAM = b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\nevent: b\ndata: 3\n\nevent: c\ndata: 4\n\n"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"drop": "event: b"}, "14"),
        ({"twice": "data: 3"}, "12334"),
        ({"last": "data: 2"}, "1342"),
        ({"add": "data: 9", "at": 2}, "12934"),
        ({"add": "data: 9", "at": 2, "stop": True}, "129"),
        ({}, "1234"),
    ],
)
def test_a_stream_can_be_disturbed(fault: dict[str, object], expected: str) -> None:
    found = disturbed(STREAM, Events.model_validate({"kind": "events", **fault})).decode()
    assert "".join(event[-1] for event in found.split("\n\n")[:-1]) == expected


async def test_an_error_in_the_middle_of_a_stream_reaches_the_sdk(tmp_path: Path) -> None:
    error = 'event: error\\ndata: {\\"type\\": \\"error\\", \\"error\\": {\\"type\\": \\"overloaded_error\\"}}'
    fault = f'faults:\n  - fault: {{kind: events, stop: true, at: 3, add: "{error}"}}\n'
    async with (
        served(schedule(fault, tmp_path)) as address,
        anthropic.AsyncAnthropic(base_url=address, api_key="any", max_retries=0) as claude,
    ):
        with pytest.raises(anthropic.APIStatusError, match="overloaded"):
            async with claude.messages.stream(
                model="faker", max_tokens=99, messages=[{"role": "user", "content": "Hi"}]
            ) as stream:
                await stream.get_final_message()
