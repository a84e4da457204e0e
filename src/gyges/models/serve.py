"""Organisms behind a real socket, in the providers' wire formats, on loopback only.

It knows no scenario and no study: whoever talks to it gets what the organisms say to the words that were sent.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gyges.errors import UsageError
from gyges.models.organism import Organism, Spoken
from gyges.models.serve_batches import ANTHROPIC as ANTHROPIC_BATCHES
from gyges.models.serve_batches import FILES, OPENAI, Desk
from gyges.models.serve_chat import ChatCompletions
from gyges.models.serve_damage import faulty
from gyges.models.serve_faults import Fault, Schedule, read_schedule
from gyges.models.serve_formats import WRONG_KEY, Asked, Format, Refused
from gyges.models.serve_json import Json, Value
from gyges.models.serve_judge import JUDGES, rule
from gyges.models.serve_judge_formats import spoken as told_by
from gyges.models.serve_judge_formats import with_ruling
from gyges.models.serve_messages import AnthropicMessages
from gyges.models.serve_responses import Responses
from gyges.models.serve_send import EVENTS, Answer, send
from gyges.models.serve_witness import Witness
from gyges.scenarios.plan import Seed

if TYPE_CHECKING:
    from aiohttp import web

DRAW = "x-gyges-draw"
"""The request header that noise is drawn from. It is hexadecimal and says nothing about the context."""
ANTHROPIC = "anthropic-version"
"""The request header that tells Anthropic's SDK from OpenAI's."""
MOST_BYTES = 64 * 2**20

ROUTES: Mapping[str, Format] = {
    "/v1/chat/completions": ChatCompletions(),
    "/v1/responses": Responses(),
    "/v1/messages": AnthropicMessages(),
}


@dataclass(slots=True)
class Server:
    """Answers requests. `seed` is where noise comes from; without a draw header, by the number of the request."""

    organisms: Mapping[str, Organism]
    seed: Seed
    key: str | None = None
    requests: int = field(default=0, init=False)

    def answer(self, format_: Format, headers: Mapping[str, str], raw: bytes) -> Answer:
        self.requests += 1
        draw = headers.get(DRAW) or f"request {self.requests}"
        identity = self.seed.child("request", draw).hex()[:24]
        names = {"x-request-id": f"req_{identity}", "request-id": f"req_{identity}"}
        try:
            asked, body = self._answered(format_, headers, raw, draw)
        except Refused as refused:
            return Answer(refused.status, _bytes(format_.error(refused)), names)
        if asked.stream:
            return Answer(200, format_.events(asked, body), names, EVENTS)
        return Answer(200, _bytes(body), names)

    def _answered(self, format_: Format, headers: Mapping[str, str], raw: bytes, draw: str) -> tuple[Asked, Json]:
        self.check_key(format_.key(headers))
        request = _json(raw)
        asked = format_.ask(request)
        if asked.model in JUDGES:
            ruling = rule(asked.model, asked.messages, request, self.seed.child("draw", draw))
            answer = format_.answer(asked, Spoken(told_by(ruling, request), None), draw)
            return asked, with_ruling(answer, ruling, request)
        organism = self.organisms.get(asked.model)
        if organism is None:
            raise Refused(404, "not_found_error", f"model: {asked.model}")
        spoken = organism.reply(
            asked.messages, self.seed.child("draw", draw), asked.reasons, asked.begun, asked.tools
        )
        return asked, format_.answer(asked, spoken, draw)

    def check_key(self, key: str | None) -> None:
        """Raises Refused."""
        if key is None:
            raise Refused(401, "authentication_error", "no API key was sent")
        if key == WRONG_KEY or (self.key is not None and key != self.key):
            raise Refused(401, "authentication_error", "invalid API key")

    def models(self, headers: Mapping[str, str]) -> Json:
        """The list of models, in the format of whoever asks."""
        if ANTHROPIC not in headers:
            return {"object": "list", "data": [_openai_model(name) for name in self.organisms]}
        data: list[Value] = [_anthropic_model(organism) for organism in self.organisms.values()]
        names: list[Value] = [*self.organisms, None]
        return {"data": data, "has_more": False, "first_id": names[0], "last_id": names[len(data) - 1]}

    def model(self, name: str, headers: Mapping[str, str]) -> Json:
        """One model, in the format of whoever asks. Raises Refused."""
        if name not in self.organisms:
            raise Refused(404, "not_found_error", f"model: {name}")
        return _anthropic_model(self.organisms[name]) if ANTHROPIC in headers else _openai_model(name)


def _anthropic_model(organism: Organism) -> Json:
    made = "2026-01-01T00:00:00Z"
    return {"type": "model", "id": organism.name, "display_name": organism.title, "created_at": made}


def _openai_model(name: str) -> Json:
    return {"id": name, "object": "model", "created": 1_767_225_600, "owned_by": "gyges"}


def _bytes(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _json(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "invalid_request_error", f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused(400, "invalid_request_error", "the body has to be a JSON object")
    return body


async def serve(
    organisms: Mapping[str, Organism],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: Seed,
    key: str | None = None,
    witness: Path | None = None,
    faults: Path | None = None,
    until_closed: bool = False,
    batch_seconds: float = 0.0,
    ready: Callable[[str], None],
) -> None:
    """Serve until cancelled. `ready` is told the address, once, when requests are answered.

    With `until_closed` serving also ends, and this returns, when standard input reaches its end: whoever started
    the server holds the other end of a pipe, which is closed with its process, even where that is killed.
    Batches end `batch_seconds` after they were made.
    Raises UsageError for an address that is not loopback or is in use, AuthoringError for a wrong schedule.
    """
    from aiohttp import web

    _check_loopback(host)
    schedule = read_schedule(faults) if faults else Schedule()
    with Witness(witness) as log:
        application = _application(Server(organisms, seed, key), schedule, log, batch_seconds)
        # A handler is cancelled when its client is gone, so that the witness knows of it.
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
        await runner.setup()
        try:
            ready(f"http://{host if ':' not in host else f'[{host}]'}:{await _listen(runner, host, port)}")
            await (_stdin_closed() if until_closed else asyncio.Event().wait())
        finally:
            await runner.cleanup()


async def _stdin_closed() -> None:
    """Wait for the end of standard input, whatever it is: a pipe, a terminal, a file, or nothing."""
    closed, loop = asyncio.Event(), asyncio.get_running_loop()

    def read() -> None:
        with suppress(OSError):  # there may be no standard input at all
            while os.read(_STDIN, 4096):
                pass
        with suppress(RuntimeError):  # the loop may be gone by now, and nobody waits
            loop.call_soon_threadsafe(closed.set)

    # Not asyncio's reader: that takes no files, and leaves a terminal non-blocking for its other programs.
    threading.Thread(target=read, name="end of stdin", daemon=True).start()
    await closed.wait()


_STDIN = 0


async def _listen(runner: web.AppRunner, host: str, port: int) -> int:
    """Open the socket. Returns its port."""
    from aiohttp import web

    site = web.TCPSite(runner, host, port, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        what = f"port {port} of {host} can't be opened ({error.strerror})"
        raise UsageError(what, "choose another --port, or 0 for any free one") from error
    return int(runner.addresses[0][1])


def _check_loopback(host: str) -> None:
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise UsageError(f"organisms are served on loopback only, and {host} is not", "use --host 127.0.0.1")


def _application(server: Server, schedule: Schedule, log: Witness, batch_seconds: float = 0.0) -> web.Application:
    from aiohttp import web
    from multidict import CIMultiDict

    started = time.monotonic()

    async def speak(request: web.Request) -> web.StreamResponse:
        return await _respond(request, lambda raw: server.answer(ROUTES[request.path], request.headers, raw))

    async def tell(request: web.Request) -> web.StreamResponse:
        return await _respond(request, lambda _: _told(request, server))

    async def _respond(request: web.Request, answers: Callable[[bytes], Answer]) -> web.StreamResponse:
        raw = await request.read()
        number = log.received(request.method, request.path_qs, dict(request.headers), raw)
        fault = schedule.take(request.path, raw, time.monotonic() - started)
        answer = faulty(answers(raw), fault, _format(request), str(request.url))
        return await send(request, answer, fault, log, number)

    async def batch(request: web.Request) -> web.StreamResponse:
        return await _respond(request, lambda raw: _batched(request, raw))

    def _batched(request: web.Request, raw: bytes) -> Answer:
        try:
            server.check_key(_format(request).key(request.headers))
            return desk.answer(request.method, request.path, request.query_string, request.headers, raw)
        except Refused as refused:
            return Answer(refused.status, _bytes(_format(request).error(refused)))

    def _single(path: str, draw: str, raw: bytes) -> tuple[Answer, Fault | None]:
        """A request of a batch: its key was checked with the batch."""
        fault = schedule.take(f"/batch{path}", raw, time.monotonic() - started)
        key = server.key or "any"
        headers = CIMultiDict({DRAW: draw, "authorization": f"Bearer {key}", "x-api-key": key})
        return faulty(server.answer(ROUTES[path], headers, raw), fault, ROUTES[path], path), fault

    desk = Desk(_single, batch_seconds)
    application = web.Application(client_max_size=MOST_BYTES)
    for start in (OPENAI, FILES, ANTHROPIC_BATCHES):
        application.router.add_route("*", start, batch)
        application.router.add_route("*", f"{start}/{{rest:.*}}", batch)
    for path in ROUTES:
        application.router.add_post(path, speak)
    application.router.add_route("*", "/{rest:.*}", tell)
    return application


def _told(request: web.Request, server: Server) -> Answer:
    """An answer about models, or that there is nothing at this address."""
    _, _, name = request.path.partition("/v1/models/")
    try:
        if request.method == "GET" and request.path == "/v1/models":
            return Answer(200, _bytes(server.models(request.headers)))
        if request.method == "GET" and name:
            return Answer(200, _bytes(server.model(name, request.headers)))
        raise Refused(404, "not_found_error", f"there is nothing at {request.method} {request.path}")
    except Refused as refused:
        return Answer(refused.status, _bytes(_format(request).error(refused)))


def _format(request: web.Request) -> Format:
    """The format of an address, or that of the SDK that asks."""
    asks = "/v1/messages" if ANTHROPIC in request.headers else "/v1/chat/completions"
    return ROUTES.get(request.path, ROUTES[asks])
