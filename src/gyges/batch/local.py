"""A server of organisms in a process of its own, for as long as a run needs it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from gyges.errors import GygesError

SECONDS_TO_START = 60.0


@asynccontextmanager
async def organism_server(scenarios: Sequence[str], seed: int) -> AsyncIterator[str]:
    """Start `gyges serve` on a free port of loopback; gives its address, ends it in the end.

    The organisms know the scenarios that are named. Raises GygesError when the server does not start.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gyges",
        "serve",
        *scenarios,
        "--port",
        "0",
        "--seed",
        str(seed),
        "--until-stdin-closes",
        # Held open as long as this process lives, so that a server does not outlive a run that was killed.
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # A Ctrl-C in the terminal is for the run, which ends the server itself.
        start_new_session=True,
    )
    try:
        yield await address(child)
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def address(child: asyncio.subprocess.Process) -> str:
    """The address that the server prints when it is ready."""
    assert child.stdout is not None
    try:
        async with asyncio.timeout(SECONDS_TO_START):
            line = (await child.stdout.readline()).decode().strip()
    except TimeoutError:
        line = ""
    if not line.startswith("gyges serve http://"):
        raise GygesError("the server of organisms did not start", "try `gyges serve` by itself to see why")
    return line.removeprefix("gyges serve ")
