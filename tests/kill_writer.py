"""A harness: forks a writer of a run, kills it at a random moment, looks whether all acknowledged rows are there.

Run as a program, with a folder, a number of trials and a seed. Importing once and forking makes a trial cheap.
"""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from gyges.transcripts.grades import Grade, Ungraded
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import Call, Episode, EpisodeKey, Message, Outcome, Reasoning, Visibility
from gyges.transcripts.store import RunReader, RunWriter
from gyges.transcripts.verify import verify

MANIFEST = Manifest(
    run="killed",
    created="2026-11-21T00:00:00+00:00",
    source="played",
    command="",
    seed=1,
    samples=1,
    scenarios=(),
    agents=(),
    contrasts=(),
    versions={},
)


def episode(number: int) -> Episode:
    said = f"{number} \ud800\x00 " * (number % 50 + 1)
    messages = (Message("user", said), Message("assistant", said, (Reasoning(Visibility.RAW, "field", said * 9),)))
    return Episode(EpisodeKey("a", "f/s", "", "c", number), "f", Outcome.COMPLETED, "", messages, 1.0, 2.0)


def call(number: int) -> Call:
    body = f"{number};".encode() * (number % 90 + 1)
    return Call(episode(number).key.id(), 0, 0, body, body * 9, 200, "", 1.0, 2.0)


def grade(number: int) -> Grade:
    return Grade(episode(number).key.id(), "behaviour", "rule", "1", Ungraded("truncated"))


async def one(writer: RunWriter, number: int, acknowledge: int) -> None:
    """A call, its episode and its grade, each acknowledged after its commit: `number` and a letter, 8 bytes."""
    await writer.call(call(number))
    os.write(acknowledge, f"c{number:07}".encode())
    await writer.episode(episode(number))
    os.write(acknowledge, f"e{number:07}".encode())
    await writer.grades([grade(number)], "first")
    os.write(acknowledge, f"g{number:07}".encode())


async def write(writer: RunWriter, first: int, acknowledge: int) -> None:
    for start in range(first, first + 10**6, 20):
        await asyncio.gather(*(one(writer, number, acknowledge) for number in range(start, start + 20)))


def killed(path: Path, first: int, seconds: float) -> list[str]:
    """What a writer acknowledged that was killed after so many seconds of writing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        writer = RunWriter.open(path) if path.exists() else RunWriter.create(path, MANIFEST)
        asyncio.run(write(writer, first, writing))
        os._exit(0)
    os.close(writing)
    acknowledged = b""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([reading], [], [], left)[0]:
            acknowledged += os.read(reading, 1 << 16)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reading, 1 << 16):
        acknowledged += more
    os.close(reading)
    return [acknowledged[at : at + 8].decode() for at in range(0, len(acknowledged) - 7, 8)]


def lost(path: Path, acknowledged: list[str]) -> list[str]:
    """The acknowledged rows that a reader does not find as they were written."""
    if not path.exists():
        return acknowledged
    with RunReader(path) as reader:
        episodes = {found.key.sample: found for found in reader.episodes()}
        graded = {found.episode: found for found in reader.grades()}
        missing = []
        for row in acknowledged:
            kind, number = row[0], int(row[1:])
            id = episode(number).key.id()
            if kind == "c":
                there = reader.calls(id) == [call(number)]
            elif kind == "e":
                there = episodes.get(number) == episode(number)
            else:
                there = graded.get(id) == grade(number)
            if not there:
                missing.append(row)
    return missing


def main(folder: Path, trials: int, seed: int) -> None:
    """Five trials a run, so that a killed writer's run is opened again and written to further."""
    chance = random.Random(seed)
    rows = 0
    acknowledged: dict[Path, list[str]] = {}
    for trial in range(trials):
        path = folder / f"run-{trial // 5}.sqlite"
        kept = acknowledged.setdefault(path, [])
        kept += (fresh := killed(path, trial % 5 * 10**5, chance.uniform(0.005, 0.25)))
        rows += len(fresh)
        if missing := lost(path, kept):
            sys.exit(f"trial {trial}: {len(missing)} of {len(kept)} acknowledged rows are lost: {missing[:5]}")
    for path in filter(Path.exists, acknowledged):
        if problems := verify(path):
            sys.exit(f"{path.name}: {problems[:3]}")
    print(f"{trials} kills, {rows} acknowledged rows, none lost")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
