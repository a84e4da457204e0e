"""The server: on loopback only, for as long as the command runs. It knows no page."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from gyges import study
from gyges.browse.guard import Guard, new_token
from gyges.errors import UsageError

PORT = 8766
TRIES = 20
"""How many ports after a busy one are tried."""


def serve(paths: Sequence[Path], port: int = PORT, open_browser: bool = False, labels: Path | None = None) -> None:
    """Serve the runs until interrupted; prints the address, which carries the session's token, first.

    Labels go to `labels`, by default beside the study's runs. Nobody asks who holds a busy port: the next free
    one is taken; 0 takes any. Raises UsageError when none is free.
    """
    import uvicorn

    from gyges.browse.app import make_app
    from gyges.browse.labels import FILE, Labels
    from gyges.browse.shelf import Shelf
    from gyges.browse.views import FILE as VIEWS
    from gyges.browse.views import Views

    # Whatever is read is read by a child: the statistics alone would take as much memory as all the rest.
    shelf = Shelf(paths, apart_from=0)
    bound = listen(port)
    port = bound[0].getsockname()[1]
    token = new_token()
    store = Labels(labels or study.transcripts() / FILE)
    servers: list[uvicorn.Server] = []
    views = Views(store.path.with_name(VIEWS))

    def ending() -> bool:
        return any(server.should_exit for server in servers)

    app = make_app(shelf, store, views, ending)
    address = f"http://127.0.0.1:{port}/?token={token}"
    print(f"{_many(len(paths))} at {address}\nCtrl+C ends it.", flush=True)
    if open_browser:
        webbrowser.open(address)
    threading.Thread(target=shelf.warm, daemon=True).start()
    threading.Thread(target=shelf.fill, args=(ending,), daemon=True).start()
    # No access log: it would hold the token. No proxy headers: nobody stands between.
    config = uvicorn.Config(
        Guard(app, port=port, token=token),
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
        ws="none",
    )
    servers.append(uvicorn.Server(config))
    try:
        servers[0].run(sockets=bound)
    except KeyboardInterrupt:
        print("ended", file=sys.stderr)


def _many(runs: int) -> str:
    return "1 run" if runs == 1 else f"{runs} runs"


def listen(port: int, tries: int = TRIES) -> list[socket.socket]:
    """Sockets on 127.0.0.1 and, where there is one, ::1, on one port. Raises UsageError when none is free."""
    for candidate in range(port, port + (tries if port else 1)):
        try:
            four = _socket(socket.AF_INET, "127.0.0.1", candidate)
        except (OSError, OverflowError):
            continue
        try:
            return [four, _socket(socket.AF_INET6, "::1", four.getsockname()[1])]
        except OSError:
            return [four]  # No IPv6 here, or that port is another's there: our address names 127.0.0.1.
    raise UsageError(f"no port from {port} on is free", "name another with --port, or 0 for any")


def _socket(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        # To listen again at once where one has just ended; elsewhere it would let two listen on one port.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(128)
    except (OSError, OverflowError):
        made.close()
        raise
    return made
