"""The witness log: what a server received and what it fully sent, append-only. It knows no wire format.

One JSON object a line. `received` comes when a request is whole, `sent` when the last byte of its answer was
handed to the network, `broken` when the answer was not fully sent; `n` ties them together.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from types import TracebackType

from gyges.errors import UsageError


class Witness:
    """Writes to a file, or to nothing. Each line is one write, so that lines are whole whatever happens."""

    def __init__(self, file: Path | None) -> None:
        self._count = 0
        self._descriptor = _opened(file) if file else None

    def received(self, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
        """Note a request. Returns its number, from 1; keys are left out."""
        self._count += 1
        if self._descriptor is not None:
            text = body.decode("utf-8", "surrogateescape")
            self._write(
                {
                    "event": "received",
                    "n": self._count,
                    "at": time.time(),
                    "method": method,
                    "path": path,
                    "headers": {
                        name: "..." if name.lower() in _SECRET else text for name, text in headers.items()
                    },
                    "sha256": hashlib.sha256(body).hexdigest(),
                    "body": text,
                }
            )
        return self._count

    def sent(self, number: int, status: int, body: bytes) -> None:
        digest = hashlib.sha256(body).hexdigest()
        self._write({"event": "sent", "n": number, "at": time.time(), "status": status, "sha256": digest})

    def broken(self, number: int, why: str) -> None:
        self._write({"event": "broken", "n": number, "at": time.time(), "why": why})

    def _write(self, line: dict[str, object]) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, json.dumps(line).encode() + b"\n")

    def __enter__(self) -> Witness:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


_SECRET = frozenset({"authorization", "x-api-key", "cookie", "proxy-authorization"})


def _opened(file: Path) -> int:
    try:
        return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"the witness log {file} can't be written ({error.strerror})") from error
