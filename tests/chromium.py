"""A real browser for tests: Debian's Chromium, driven over its own protocol. Skips, and says how to get it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)
WAIT = 20.0
"""Seconds until something that does not happen is a failure."""


def executable() -> str:
    """Where Chromium is; skips the test where it is not."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here; on Debian: apt-get install -y chromium")
    return found


class Tab:
    """One tab, and what happened in it.

    `requests` are the addresses it asked for, `dialogs` what pages wanted to say, `errors` what scripts and the
    content policy complained of.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last = 0
        self._answers: dict[int, asyncio.Future[dict[str, Json]]] = {}
        self._loaded = asyncio.Event()
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        self.errors: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            else:
                self._note(said["method"], said["params"])

    def _note(self, method: str, params: dict[str, dict[str, str]]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.dialogs.append(str(params["message"]))
                self._answers[self._next()] = asyncio.get_running_loop().create_future()
                closing = self._send(self._last, "Page.handleJavaScriptDialog", {"accept": False})
                self._closing = asyncio.ensure_future(closing)
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(params))
            case "Log.entryAdded":
                self.errors.append(params["entry"]["text"])

    def _next(self) -> int:
        self._last += 1
        return self._last

    async def _send(self, number: int, method: str, params: dict[str, Json]) -> None:
        await self._socket.send_json({"id": number, "method": method, "params": params})

    async def call(self, method: str, **params: Json) -> dict[str, Json]:
        number = self._next()
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._send(number, method, params)
        said = await asyncio.wait_for(answer, WAIT)
        assert "error" not in said, f"{method}: {said['error']}"
        result = said["result"]
        assert isinstance(result, dict)
        return result

    async def open(self, address: str) -> None:
        self._loaded.clear()
        await self.call("Page.navigate", url=address)
        await asyncio.wait_for(self._loaded.wait(), WAIT)

    async def leave(self, act: Callable[[], object]) -> None:
        """Do what leads to another page, and wait until it is there."""
        self._loaded.clear()
        done = act()
        if asyncio.iscoroutine(done):
            await done
        await asyncio.wait_for(self._loaded.wait(), WAIT)

    async def ask(self, expression: str) -> Json:
        """The value of a JavaScript expression in the page."""
        said = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        result = said["result"]
        assert isinstance(result, dict)
        return result.get("value")

    async def until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        ends = asyncio.get_running_loop().time() + WAIT
        while not await self.ask(expression):
            assert asyncio.get_running_loop().time() < ends, expression
            await asyncio.sleep(0.02)

    async def press(self, key: str) -> None:
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        code = {"Enter": 13, "Escape": 27, "Tab": 9}.get(key, 0)
        down: dict[str, Json] = {"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", **down)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    async def type(self, text: str) -> None:
        await self.call("Input.insertText", text=text)

    async def look_like(self, width: int, dark: bool = False, height: int = 900) -> None:
        """Another size of the window and another colour scheme."""
        size: dict[str, Json] = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme: list[Json] = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=scheme)

    async def picture(self, whole: bool = False) -> bytes:
        """The window, or the whole page, as PNG."""
        said = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(str(said["data"]))


@asynccontextmanager
async def chromium() -> AsyncIterator[Tab]:
    """A tab of a browser of its own, in a new profile, which ends with it."""
    program = executable()
    with tempfile.TemporaryDirectory(prefix="gyges-chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program,
            *FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(await _address(Path(profile), session), max_msg_size=0) as socket,
            ):
                tab = Tab(socket)
                listening = asyncio.create_task(tab.listen())
                for domain in ("Page", "Network", "Runtime", "Log"):
                    await tab.call(f"{domain}.enable")
                yield tab
                listening.cancel()
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _address(profile: Path, session: aiohttp.ClientSession) -> str:
    """The debugging address of the one tab."""
    for _ in range(int(WAIT / 0.05)):
        await asyncio.sleep(0.05)
        for target in await _targets(profile, session):
            if target["type"] == "page":
                return str(target["webSocketDebuggerUrl"])
    raise AssertionError(f"Chromium did not start within {WAIT} s")


async def _targets(profile: Path, session: aiohttp.ClientSession) -> list[dict[str, str]]:
    try:
        port, _ = (profile / "DevToolsActivePort").read_text().split("\n", 1)
    except (OSError, ValueError):
        return []  # Not written yet, or half of it.
    async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
        found: list[dict[str, str]] = await answer.json(content_type=None)
        return found
