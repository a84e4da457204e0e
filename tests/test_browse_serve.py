"""The server as a command runs it: an address with a token, loopback only, and a quick end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gyges.browse.labels import FILE
from tests.browsing import kind_run

COMMAND = (
    "import sys; from pathlib import Path; from gyges.browse.serve import serve; serve([Path(sys.argv[1])], 0)"
)


@pytest.fixture
def command(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    run = kind_run(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(run)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    found = re.fullmatch(r"1 run at (http://127\.0\.0\.1:\d+/\?token=[\w-]{32})\n", line)
    assert found, line
    return found[1]


def test_the_address_opens_once_the_cookie_is_set_and_ctrl_c_ends_it_cleanly(
    command: subprocess.Popen[str],
) -> None:
    address = address_of(command)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(address, timeout=20) as page:
        assert "token" not in page.url
        assert "kind" in page.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address.partition("?")[0], timeout=20)
    stream = opener.open(address.partition("/?")[0] + "/live", timeout=20)
    assert stream.readline().startswith(b"data: ")
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=15)
    stream.close()
    assert "Traceback" not in errors
    assert "token" not in errors


def test_it_listens_on_loopback_and_holds_no_file_open_for_writing(
    command: subprocess.Popen[str], tmp_path: Path
) -> None:
    address = address_of(command)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    for _ in range(2):
        opener.open(address, timeout=20).close()
    if not Path(f"/proc/{command.pid}/fd").is_dir():
        pytest.skip("this system does not tell which files a process has open")
    port = int(address.split(":")[2].split("/")[0])
    listening = {line.split()[1] for line in _sockets(command.pid) if line.split()[3] == "0A"}
    ours = {place for place in listening if place.endswith(f":{port:04X}")}
    assert ours
    assert all(place.startswith(("0100007F:", "00000000000000000000000001000000:")) for place in ours)
    for file in Path(f"/proc/{command.pid}/fd").iterdir():
        try:
            target = os.readlink(file)
            told = Path(f"/proc/{command.pid}/fdinfo/{file.name}").read_text()
        except FileNotFoundError:
            continue  # closed since it was listed, as connections are
        flags = int(re.findall(r"flags:\s+(\d+)", told)[0], 8)
        assert not (target.endswith(".sqlite") and flags & (os.O_WRONLY | os.O_RDWR)), target
    assert not (tmp_path / "transcripts" / FILE).exists()


def _sockets(pid: int) -> list[str]:
    lines = []
    for table in ("tcp", "tcp6"):
        path = Path(f"/proc/{pid}/net/{table}")
        lines += path.read_text().splitlines()[1:] if path.exists() else []
    return lines


def test_the_server_leaves_the_statistics_to_its_children(command: subprocess.Popen[str]) -> None:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    root = address_of(command)
    ends = time.monotonic() + 60
    while "diverges" not in opener.open(root, timeout=20).read().decode() and time.monotonic() < ends:
        time.sleep(0.2)
    assert "diverges" in opener.open(root, timeout=20).read().decode()
    if not Path(f"/proc/{command.pid}/maps").is_file():
        pytest.skip("this system does not tell what a process has loaded")
    assert "scipy" not in Path(f"/proc/{command.pid}/maps").read_text()
