"""The lock: it dies with its owner, and names it while it lives."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gyges.errors import StoreError
from gyges.transcripts.lock import Lock


def leave(run: Path, **owner: str | int) -> None:
    """A lock file as a process leaves it that was killed."""
    words = {"pid": os.getppid(), "host": socket.gethostname(), "since": "2026-11-21T00:00:00+00:00"}
    run.with_name(run.name + ".lock").write_text(json.dumps(words | owner))


@pytest.mark.parametrize("pid", [1, os.getppid(), 2**22])
def test_the_lock_of_a_dead_process_is_taken_over_though_its_number_lives_again(tmp_path: Path, pid: int) -> None:
    run = tmp_path / "one.sqlite"
    leave(run, pid=pid)
    lock = Lock(run)
    assert lock.taken_over
    assert lock.taken_over.pid == pid
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    run = tmp_path / "one.sqlite"
    code = "import sys, os; from pathlib import Path; from gyges.transcripts.lock import Lock; "
    code += "lock = Lock(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(run)], check=False)
    lock = Lock(run)
    assert lock.taken_over
    lock.release()


def test_the_lock_of_another_machine_is_respected(tmp_path: Path) -> None:
    run = tmp_path / "one.sqlite"
    leave(run, host="elsewhere")
    with pytest.raises(StoreError, match="on elsewhere") as caught:
        Lock(run)
    assert str(tmp_path / "one.sqlite.lock") in caught.value.to_do
    assert run.with_name("one.sqlite.lock").exists()


@pytest.mark.parametrize("words", ["", "{}", "[1]", '{"pid": "x"}', "\x00" * 9])
def test_a_lock_file_without_an_owner_is_nobodys(tmp_path: Path, words: str) -> None:
    run = tmp_path / "one.sqlite"
    run.with_name(run.name + ".lock").write_text(words)
    lock = Lock(run)
    assert lock.taken_over is None
    lock.release()


def test_a_lock_can_be_had_once(tmp_path: Path) -> None:
    first = Lock(tmp_path / "one.sqlite")
    with pytest.raises(StoreError, match=f"process {os.getpid()}"):
        Lock(tmp_path / "one.sqlite")
    Lock(tmp_path / "two.sqlite").release()
    first.release()
    Lock(tmp_path / "one.sqlite").release()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        Lock(tmp_path / "nowhere" / "one.sqlite")
