"""A long run in one process: it needs no more memory, files or time for the last episode than for the first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="memory and open files are read in /proc")
def test_twenty_thousand_episodes_leave_a_run_as_fast_and_as_small_as_four_thousand(tmp_path: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "tests.soak", "20000", "500"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found = json.loads(played.stdout.splitlines()[-1])
    assert found["completed"] == 20_000
    early, late = found["mib"]
    assert late <= early + 50, found
    assert late <= 250, found
    assert found["files"][0] == found["files"][1]
    assert found["a_second"][-1] >= 0.9 * found["a_second"][0], found
    assert found["late_ms"]["0.999"] < 250, found
