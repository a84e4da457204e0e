"""Two who want to write to the same run, over and over: exactly one does, and what is there is whole."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from gyges.errors import StoreError
from gyges.transcripts.store import RunReader, RunWriter
from gyges.transcripts.verify import verify
from tests.kill_writer import MANIFEST, episode

WRITERS = 3
REFUSED = 7


def contend(path: Path, number: int, go: int) -> None:
    """In a process of its own: write ten episodes to the run, or be refused. Every third dies holding the lock."""
    os.read(go, 1)
    try:
        writer = RunWriter.open(path)
    except StoreError as error:
        os._exit(REFUSED if "is being written to" in str(error) else 1)

    async def write() -> None:
        for sample in range(10):
            await writer.episode(episode(number * 10 + sample))

    asyncio.run(write())
    if number % 3 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    writer.close()
    os._exit(0)


def race(path: Path, start: int) -> list[int]:
    """So many processes at once. Returns the numbers of those that wrote."""
    go, ready = os.pipe()
    children = {}
    for number in range(start, start + WRITERS):
        child = os.fork()
        if child == 0:
            os.close(ready)
            contend(path, number, go)
        children[child] = number
    os.close(go)
    os.close(ready)  # Every child reads the end at once.
    wrote = []
    for child, number in children.items():
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL, REFUSED)
        if os.waitstatus_to_exitcode(status) != REFUSED:
            wrote.append(number)
    return wrote


def races(path: Path, number: int) -> None:
    RunWriter.create(path, MANIFEST).close()
    wrote: list[int] = []
    for turn in range(number):
        winners = race(path, turn * WRITERS)
        assert winners, "everybody was refused"
        wrote += winners
    with RunReader(path) as reader:
        samples = sorted(one.key.sample for one in reader.headings())
    assert samples == sorted(writer * 10 + sample for writer in wrote for sample in range(10))
    assert verify(path) == []


def test_of_those_who_race_for_a_run_the_winners_write_whole_rows_and_the_others_none(
    tmp_path: Path,
) -> None:
    races(tmp_path / "run.sqlite", 10)


@pytest.mark.full
def test_the_same_two_hundred_times(tmp_path: Path) -> None:
    races(tmp_path / "run.sqlite", 200)
