"""What makes a run fare badly is told: a loop that stands still, memory that runs out. A flood of words is not."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gyges.batch import watch
from gyges.batch.loop import run
from gyges.batch.watch import FEW, MINUTE, Sparing, memory, sparing, watched
from gyges.errors import UsageError


async def test_a_loop_that_stands_still_is_told_where_it_is_worth_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(watch, "STANDS_STILL", 0.2)
    monkeypatch.setattr(watch, "WORTH_TELLING", 0.6)
    with watched():
        await asyncio.sleep(0.03)
        for _ in range(2):
            assert not caplog.records  # once is not worth telling
            time.sleep(0.4)  # noqa: ASYNC251 - that is what is to be seen
            await asyncio.sleep(0.03)
    (said,) = [record.getMessage() for record in caplog.records if "nothing went on" in record.getMessage()]
    assert "no deadline kept" in said


async def test_memory_that_runs_out_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_LOOKS", 0.001)
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_MEMORY", 0.0)
    monkeypatch.setattr(watch, "memory", lambda: (90 * 2**20, 100 * 2**20))
    with watched():
        await asyncio.sleep(0.05)
    said = [record.getMessage() for record in caplog.records if "MiB of memory" in record.getMessage()]
    assert len(said) == 1
    assert "90 of the 100 MiB" in said[0]


def test_the_smallest_limit_counts(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "statm").write_text("1000 500 1 1 1 1 1\n", encoding="ascii")
    (tmp_path / "memory.max").write_text("4096000\n", encoding="ascii")
    used, most = memory(tmp_path, tmp_path)
    assert most == 4_096_000
    assert used % 500 == 0
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert memory(tmp_path, tmp_path)[1] > 4_096_000
    assert memory(tmp_path / "nowhere", tmp_path) == (0, 1)


def test_a_limit_of_addresses_is_seen_by_the_process_that_has_it() -> None:
    words = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31));"
        "from gyges.batch.watch import memory; print(memory()[1])"
    )
    ended = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, timeout=60)
    assert int(ended.stdout) == 2**31


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("gyges.batch", logging.WARNING, __file__, 1, message, args, None)


def test_of_a_flood_of_messages_a_few_are_told_and_then_one_a_minute_with_their_number() -> None:
    now = [0.0]
    filter_ = Sparing(lambda: now[0])
    passed = [filter_.filter(record("episode %s failed", number)) for number in range(10_000)]
    assert sum(passed) == FEW
    assert filter_.filter(record("something else"))
    now[0] += MINUTE
    later = record("episode %s failed", 10_000)
    assert filter_.filter(later)
    assert later.getMessage() == f"episode 10000 failed (and {10_000 - FEW} more like this)"
    assert not filter_.filter(record("episode %s failed", 10_001))


def test_while_a_run_goes_on_every_logger_of_ours_is_sparing(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("gyges.batch")
    with sparing():
        for number in range(100):
            logger.warning("tool %d is slow", number)
    assert len(caplog.records) == FEW
    logger.warning("tool %d is slow", 100)
    assert len(caplog.records) == FEW + 1


async def test_where_a_loop_runs_already_it_is_said_what_to_do() -> None:
    async def main() -> None: ...

    with pytest.raises(UsageError, match=r"an event loop runs here already.*await"):
        run(main())


def test_a_run_gives_what_its_coroutine_gives() -> None:
    async def main() -> int:
        return 7

    assert run(main()) == 7
