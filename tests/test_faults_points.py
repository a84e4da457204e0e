"""A fault at every named point, at its first, second, ... time: nothing is lost, nothing is bought twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gyges.transcripts import failpoint


def struck(folder: Path, what: str, most: int) -> str:
    # Not through pipes: the server, a grandchild, would hold them open.
    said = folder / "said.txt"
    with said.open("w", encoding="utf-8") as out:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.fault_run", str(folder / "study"), what, str(most), "1"],
            cwd=Path(__file__).parent.parent,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=3000,
        )
    assert ended.returncode == 0, said.read_text(encoding="utf-8")[-2000:]
    return said.read_text(encoding="utf-8")


def test_a_kill_at_any_point_costs_nothing_that_was_committed(tmp_path: Path) -> None:
    assert "nothing lost, nothing bought twice" in struck(tmp_path, "points", 1)


@pytest.mark.full
def test_neither_does_any_fault_at_any_point_at_any_time(tmp_path: Path) -> None:
    assert "nothing lost, nothing bought twice" in struck(tmp_path, "points", 10)


@pytest.mark.full
def test_a_run_that_is_killed_while_it_recovers_recovers(tmp_path: Path) -> None:
    assert "100 runs killed three deep" in struck(tmp_path, "double", 100)


@pytest.mark.parametrize(
    "words", ["commit-done:1", "commit-done:0:kill", "nowhere:1:kill", "commit-done:1:explode"]
)
def test_what_is_no_failpoint_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        failpoint.plant(words)
    failpoint.plant("")
