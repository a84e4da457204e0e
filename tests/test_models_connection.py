"""What goes over the wire and what comes back, through both SDKs, against a real server on loopback."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from gyges.models.anthropic_messages import AnthropicMessages
from gyges.models.connection import PLACEHOLDER
from gyges.models.openai_chat import OpenAIChat
from gyges.models.openai_responses import OpenAIResponses
from gyges.models.provider import CallFailed, Provider, Received, Sampling, Trouble
from gyges.transcripts.record import Message

SENTINEL = "sk-sentinel-3f9c1d77aa"
HELLO = [Message("system", "Be brief."), Message("user", "Grüße \ud800 \x00 \u202e 👋")]

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """A server that notes what it got and answers as the test says."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answer: Answer | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.paths.append(request.path)
        return await self.answer(request) if self.answer else web.Response(body=b'{"fine": true}')


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{rest:.*}", server.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    server.url = f"http://{host}:{port}"
    yield server
    await runner.cleanup()


Make = Callable[..., Provider]


KINDS = {"chat": OpenAIChat, "responses": OpenAIResponses, "messages": AnthropicMessages}


@pytest.fixture(params=list(KINDS))
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    made: list[Provider] = []

    def one(url: str, key: str = SENTINEL, most_bytes: int = 100_000) -> Provider:
        made.append(KINDS[request.param](url, key, most_bytes=most_bytes))
        return made[-1]

    yield one
    for provider in made:
        await provider.close()


async def fails(provider: Provider) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await provider.send(provider.request("m", HELLO, Sampling()), {})
    return caught.value


async def test_the_bytes_that_are_sent_are_the_bytes_that_were_built(server: Server, make: Make) -> None:
    provider = make(server.url)
    body = provider.request("m", HELLO, Sampling(temperature=0.5, reasoning_effort="low"))
    received = await provider.send(body, {"x-gyges-draw": "abc"})
    assert server.bodies == [body]
    assert received.status == 200
    assert received.body == b'{"fine": true}'
    headers = server.headers[0]
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["x-gyges-draw"] == "abc"
    assert SENTINEL in headers.get("authorization", "") + headers.get("x-api-key", "")


async def test_the_path_is_the_formats_own(server: Server) -> None:
    v1 = f"{server.url}/v1"
    for provider in (OpenAIChat(v1, "k"), OpenAIResponses(v1, "k"), AnthropicMessages(server.url, "k")):
        await provider.send(b"{}", {})
        await provider.close()
    assert server.paths == ["/v1/chat/completions", "/v1/responses", "/v1/messages"]


async def test_the_environments_organization_is_not_told_to_other_servers(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-secret")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-secret")
    for provider in (OpenAIChat(server.url, "k"), AnthropicMessages(server.url, "k")):
        await provider.send(b"{}", {})
        await provider.close()
    assert "secret" not in str(server.headers)


@pytest.mark.parametrize("status", [200, 201, 400, 401, 404, 429, 500, 529])
async def test_every_status_comes_back_with_its_bytes_and_after_one_request(
    server: Server, make: Make, status: int
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            status=status, body=b"\xff\x00<html>", headers={"Retry-After": "3", "Set-Cookie": "a=b"}
        )

    server.answer = answer
    received = await make(server.url).send(b"{}", {})
    assert (received.status, received.body) == (status, b"\xff\x00<html>")
    names = {name.lower() for name, _ in received.headers}
    assert "retry-after" in names
    assert "set-cookie" not in names
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(server: Server, make: Make, status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": f"http://127.0.0.2:9{request.path}"})

    server.answer = answer
    provider = make(server.url)
    received = await provider.send(b"{}", {})
    with pytest.raises(CallFailed, match=r"redirected to http://127\.0\.0\.2") as caught:
        provider.read(received)
    assert caught.value.trouble is Trouble.REJECTED
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [200, 500])
async def test_a_body_above_the_limit_is_not_taken(server: Server, make: Make, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b"x" * 100_001)

    server.answer = answer
    failure = await fails(make(server.url))
    assert (failure.trouble, failure.received) == (Trouble.GARBLED, None)
    assert "larger than 100000 bytes" in failure.detail


async def test_a_body_at_the_limit_is_taken(server: Server, make: Make) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 100_000)

    server.answer = answer
    assert len((await make(server.url).send(b"{}", {})).body) == 100_000


async def test_a_compressed_body_is_not_taken(server: Server, make: Make) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"\x1f\x8b garbage", headers={"Content-Encoding": "gzip"})

    server.answer = answer
    failure = await fails(make(server.url))
    assert failure.trouble is Trouble.GARBLED
    assert "compressed" in failure.detail


async def test_a_connection_broken_in_the_middle_is_no_answer(server: Server, make: Make) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"half":')
        assert request.transport is not None
        request.transport.abort()
        return response

    server.answer = answer
    failure = await fails(make(server.url))
    assert (failure.trouble, failure.received) == (Trouble.TRANSIENT, None)


async def test_a_connection_closed_before_any_answer_is_no_answer(server: Server, make: Make) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.answer = answer
    assert (await fails(make(server.url))).trouble is Trouble.TRANSIENT
    assert len(server.bodies) == 1


async def test_a_deadline_ends_a_call_that_hangs(server: Server, make: Make) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    server.answer = answer
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await make(server.url).send(b"{}", {})


async def test_nobody_listening_is_unreachable(make: Make) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    failure = await fails(make(f"http://127.0.0.1:{port}"))
    assert failure.trouble is Trouble.UNREACHABLE
    assert f"connection refused): http://127.0.0.1:{port}" in failure.detail


async def test_an_unknown_host_is_unreachable(make: Make) -> None:
    failure = await fails(make("http://no-such-host.invalid"))
    assert failure.trouble is Trouble.UNREACHABLE
    assert "no such host: http://no-such-host.invalid" in failure.detail


async def test_plain_http_behind_an_https_address_is_unreachable(server: Server, make: Make) -> None:
    failure = await fails(make(server.url.replace("http:", "https:")))
    assert failure.trouble is Trouble.UNREACHABLE
    assert "TLS" in failure.detail


async def test_the_key_is_in_nothing_that_comes_back(server: Server, make: Make) -> None:
    async def answer(_: web.Request) -> web.Response:
        text = '{"error": {"message": "Incorrect API key provided: ' + SENTINEL + '"}}'
        return web.Response(status=401, text=text, headers={"X-Echo": f"Bearer {SENTINEL}"})

    server.answer = answer
    provider = make(server.url)
    received = await provider.send(b"{}", {})
    with pytest.raises(CallFailed) as caught:
        provider.read(received)
    assert caught.value.trouble is Trouble.AUTHENTICATION
    assert SENTINEL not in str(received) + repr(provider) + str(caught.value) + repr(vars(caught.value))


async def test_the_key_is_in_no_log(server: Server, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await make(server.url).send(b"{}", {})
    await fails(make("http://127.0.0.1:1"))
    assert caplog.records
    assert SENTINEL not in caplog.text + "".join(repr(vars(record)) for record in caplog.records)


async def test_a_failed_call_holds_on_to_no_request(make: Make) -> None:
    failure = await fails(make("http://127.0.0.1:1"))
    assert failure.__cause__ is None
    assert failure.__context__ is None
    assert SENTINEL not in repr(vars(failure))


async def test_the_placeholder_is_not_masked(server: Server, make: Make) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=f"a {PLACEHOLDER} b")

    server.answer = answer
    received = await make(server.url, key=PLACEHOLDER).send(b"{}", {})
    assert received.body == f"a {PLACEHOLDER} b".encode()


@pytest.mark.parametrize("key", ["x", "test", "EMPTY", "rating"])
async def test_a_short_word_for_a_key_changes_no_answer(server: Server, make: Make, key: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="a test of the next rating, EMPTY")

    server.answer = answer
    received = await make(server.url, key=key).send(b"{}", {})
    assert received.body == b"a test of the next rating, EMPTY"


async def test_a_proxy_in_the_environment_is_not_asked_for_loopback(
    server: Server, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert isinstance(await make(server.url).send(b"{}", {}), Received)


async def test_many_calls_share_a_client_and_do_not_cross(server: Server, make: Make) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    server.answer = answer
    provider = make(server.url)
    bodies = [f'{{"n": {n}}}'.encode() for n in range(100)]
    received = await asyncio.gather(*(provider.send(body, {}) for body in bodies))
    assert [one.body for one in received] == bodies
