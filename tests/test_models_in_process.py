"""Organisms without a socket say what they say through one, and the SDKs' client takes nothing but bytes."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from gyges.batch.order import Order, prepare
from gyges.batch.run import play_into
from gyges.models.http import IN_PROCESS, Client, Headers, Taken, is_in_process
from gyges.models.in_process import InProcess
from gyges.models.provider import Sampling
from gyges.models.registry import provider
from gyges.scenarios.plan import Seed
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Message
from tests.test_batch_run import ignore, order, organisms


@pytest.mark.usefixtures("study")
async def test_a_run_without_sockets_is_byte_for_byte_the_run_with_them(tmp_path: Path) -> None:
    async with organisms() as url:
        await play_into(tmp_path / "one.sqlite", prepare(order(url, "noisy")), ignore)
    within = Order(("walks",), ("noisy",), samples=2, connections=8, in_process=True)
    await play_into(tmp_path / "two.sqlite", prepare(within), ignore)
    found = []
    for name in ("one", "two"):
        with RunReader(tmp_path / f"{name}.sqlite") as reader:
            found.append(
                [(e.key, e.messages, [c.request for c in reader.calls(e.key.id())]) for e in reader.episodes()]
            )
    assert found[0] == found[1]


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("model", ["vllm/faker", "openai-responses/faker", "anthropic/faker"])
async def test_every_wire_format_reaches_them(model: str) -> None:
    wire = InProcess.knowing(["walks"], Seed(1))
    made, name = provider(model, f"{IN_PROCESS}/v1", key="k" * 20, wire=wire)
    body = made.request(name, [Message("user", "Hello.")], Sampling())
    reply = made.read(await made.send(body, {}))
    assert reply.message.text
    assert is_in_process(made.base_url)
    await made.close()


class Nowhere:
    async def post(self, url: str, headers: Headers, body: bytes) -> Taken:
        raise AssertionError("nothing is to be sent", url, headers, body)

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    "given", [{"json": {}}, {"content": b"", "params": {"a": 1}}, {"content": b"", "data": {"a": 1}}]
)
def test_the_client_refuses_what_it_would_not_send_as_it_is(given: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="bytes and nothing else"):
        Client(Nowhere()).build_request("POST", httpx2.URL("http://a.invalid"), **given)
