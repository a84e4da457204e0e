"""A server ends with whoever started it, however that ends: its standard input is closed then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

SECONDS = 60.0
SERVER = """
import asyncio
from gyges.models.serve import serve
from gyges.scenarios.plan import Seed

asyncio.run(serve({}, seed=Seed(0), until_closed=True, ready=lambda url: print(url, flush=True)))
print("ended", flush=True)
"""
STARTER = """
import subprocess, sys, time

child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


@contextmanager
def started(*code: str, stdin: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", *code]
    with subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{url}/v1/models", timeout=SECONDS) as reply:
        return bool(reply.status == 200)
    return False


def test_a_server_outlives_its_standard_input_by_no_more_than_its_clean_up() -> None:
    with started(SERVER) as server:
        assert answers(url := line(server))
        rest, _ = server.communicate(timeout=SECONDS)  # closes its standard input
        assert (rest, server.returncode) == ("ended\n", 0)
        assert not answers(url)


def test_what_is_written_to_a_server_does_not_end_it() -> None:
    with started(SERVER) as server:
        url = line(server)
        assert server.stdin is not None
        server.stdin.write("hm\n")
        server.stdin.flush()
        assert all(answers(url) for _ in range(5))
        assert server.poll() is None


@pytest.mark.parametrize("killed", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_ends_when_the_process_that_started_it_is_killed(killed: signal.Signals) -> None:
    with started(STARTER, SERVER) as starter:
        said = sorted([line(starter), line(starter)])
        pid, url = int(said[0]), said[1]
        try:
            assert answers(url)
            starter.send_signal(killed)
            # The server writes to the same pipe, so that its end is the server's.
            rest, _ = starter.communicate(timeout=SECONDS)
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise
        assert (rest, starter.returncode) == ("ended\n", -killed)
        assert not answers(url)


def test_a_server_without_any_standard_input_ends_at_once() -> None:
    with started(SERVER, stdin=subprocess.DEVNULL) as server:
        rest, _ = server.communicate(timeout=SECONDS)
        assert (rest.splitlines()[-1], server.returncode) == ("ended", 0)
