"""The call ledger: what a crash costs. The server's witness log is the oracle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def kills(folder: Path, number: int, seed: int) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.kill_run", str(folder), str(number), str(seed)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=240 + 4 * number,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_after_a_kill_only_calls_without_a_committed_answer_are_asked_again(tmp_path: Path) -> None:
    assert "8 kills" in kills(tmp_path, 8, 1)


@pytest.mark.full
def test_after_many_kills_only_calls_without_a_committed_answer_are_asked_again(tmp_path: Path) -> None:
    assert "200 kills" in kills(tmp_path, 200, 2)
