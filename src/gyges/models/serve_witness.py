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
            shown = {name: "..." if name.lower() in _SECRET else text for name, text in headers.items()}
            text, digest = body.decode("utf-8", "surrogateescape"), hashlib.sha256(body).hexdigest()
            self._write("received", self._count, method=method, path=path, headers=shown, sha256=digest, body=text)
        return self._count

    def sent(self, number: int, status: int, body: bytes, fault: str = "") -> None:
        digest = hashlib.sha256(body).hexdigest()
        self._write("sent", number, status=status, sha256=digest, **_named(fault))

    def broken(self, number: int, why: str, fault: str = "") -> None:
        self._write("broken", number, why=why, **_named(fault))

    def _write(self, event: str, number: int, **more: object) -> None:
        if self._descriptor is not None:
            line = {"event": event, "n": number, "at": time.time(), **more}
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


def _named(fault: str) -> dict[str, str]:
    return {"fault": fault} if fault else {}


def _opened(file: Path) -> int:
    try:
        return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"the witness log {file} can't be written ({error.strerror})") from error
