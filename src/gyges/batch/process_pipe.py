"""Messages through a socket between a run and its workers: those of one round of the loop at once. It reads none.

They are pickled, which is for processes that trust each other: one has started the other, and their socket has no
name.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

from gyges.batch.process_messages import Message

_HEAD = 8
"""Bytes of a parcel's length."""


class Pipe:
    """One end. `send` never waits; `parcels` gives what comes until the other end is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: list[Message] = []
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def over(cls, end: socket.socket) -> Pipe:
        # asyncio's own limit is for lines; parcels may be large.
        return cls(*await asyncio.open_connection(sock=end, limit=2**20))

    def send(self, message: Message) -> None:
        if not self._waiting:
            self._loop.call_soon(self._post)
        self._waiting.append(message)

    def _post(self) -> None:
        parcel = pickle.dumps(self._waiting, pickle.HIGHEST_PROTOCOL)
        self._waiting = []
        with suppress(OSError, RuntimeError):  # The other end is gone; whoever receives hears of it.
            self._writer.writelines((len(parcel).to_bytes(_HEAD, "big"), parcel))

    async def parcels(self) -> AsyncIterator[list[Message]]:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                size = int.from_bytes(await self._reader.readexactly(_HEAD), "big")
                found: list[Message] = pickle.loads(await self._reader.readexactly(size))
                yield found

    def close(self) -> None:
        self._writer.close()
