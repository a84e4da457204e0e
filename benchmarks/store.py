"""How many episodes a second the store takes, in process time and by the clock. It plays nothing.

    python benchmarks/store.py [--episodes 6000] [--size 10000] [--at-once 200] [--durability process|power]
    python benchmarks/store.py --json    the figures of the page, as JSON

Calls and episodes are handed over `--at-once` at a time. The goals: 2,000 episodes of 10 kB a second, and, at 500
calls a second, 99 in 100 acknowledged within 20 ms; a run of 20,000 episodes opened and listed in half a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import Call, Episode, EpisodeKey, Message, Outcome, Reasoning, Visibility
from gyges.transcripts.store import RunReader, RunWriter, write_run

T = TypeVar("T")

MANIFEST = Manifest(
    run="benchmark",
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


def episodes(number: int, size: int) -> list[Episode]:
    """Of random words, so that compression has about as much to do as with prose."""
    chance = random.Random(1)
    words = ["".join(chance.choices("etaoinshrdlucmfwypvbgkjqxz", k=chance.randint(2, 9))) for _ in range(3000)]

    def text(share: float) -> str:
        return " ".join(chance.choices(words, k=int(size * share / 6.5)))

    made = []
    for sample in range(number):
        reasoning = (Reasoning(Visibility.RAW, "field:reasoning", text(0.5)),)
        messages = (
            Message("system", text(0.2)),
            Message("user", text(0.1)),
            Message("assistant", text(0.2), reasoning),
        )
        key = EpisodeKey("agent", f"family/{sample % 20}", "", "training", sample)
        made.append(Episode(key, "family", Outcome.COMPLETED, "", messages, 1.0, 2.0))
    return made


def calls(made: Sequence[Episode]) -> list[Call]:
    found = []
    for episode in made:
        system, user, answer = episode.messages
        asked = system.text + user.text
        answered = answer.text + str(answer.reasoning[0].text)
        found.append(Call(episode.key.id(), 0, 0, asked.encode(), answered.encode(), 200, "", 1.0, 2.0))
    return found


async def at_once(items: Sequence[T], width: int, write: Callable[[T], Coroutine[None, None, None]]) -> None:
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await write(item)

    await asyncio.gather(*(worker() for _ in range(width)))


async def paced(
    items: Sequence[T], a_second: int, write: Callable[[T], Coroutine[None, None, None]]
) -> list[float]:
    """Seconds from handing over to the acknowledgement, sorted, when items come at an even pace."""

    async def one(item: T) -> float:
        start = time.perf_counter()
        await write(item)
        return time.perf_counter() - start

    tasks, start = [], time.perf_counter()
    for number, item in enumerate(items):
        await asyncio.sleep(start + number / a_second - time.perf_counter())
        tasks.append(asyncio.create_task(one(item)))
    return sorted(await asyncio.gather(*tasks))


def timed(what: str, number: int, work: Callable[[], object]) -> float:
    clock, process = time.perf_counter(), time.process_time()
    work()
    clock, process = time.perf_counter() - clock, time.process_time() - process
    print(f"{what:<28}{number / clock:>8,.0f} a second{1000 * process / number:>9.3f} ms of processor each")
    return number / clock


def ms(waited: Sequence[float], share: float) -> str:
    return f"{1000 * waited[round(share * (len(waited) - 1))]:.1f} ms"


def listed(number: int, folder: Path) -> dict[str, float]:
    """Seconds until a run of so many small episodes is opened and all of them are listed."""
    path = folder / f"run-{number}.sqlite"
    write_run(path, episodes(number, 300), lambda: MANIFEST)
    start = time.perf_counter()
    with RunReader(path) as reader:
        count = sum(1 for _ in reader.headings())
    assert count == number
    return {"episodes": number, "seconds": time.perf_counter() - start}


def figures(number: int = 4000, size: int = 10_000, width: int = 200) -> dict[str, object]:
    """What the page of performance says of the store."""
    made = episodes(number, size)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with RunWriter.create(folder / "run.sqlite", MANIFEST) as writer:
            clock, processor = time.perf_counter(), time.process_time()
            asyncio.run(at_once(made, width, writer.episode))
            clock, processor = time.perf_counter() - clock, time.process_time() - processor
        return {
            "a_second": number / clock,
            "a_processor_second": number / processor,
            "listed": [listed(many, folder) for many in (20_000, 100_000)],
        }


def main(number: int, size: int, width: int, durability: Literal["process", "power"]) -> None:
    made = episodes(number, size)
    answers = calls(made)
    mean = (
        sum(len(m.text) + sum(len(r.text or "") for r in m.reasoning) for e in made for m in e.messages) / number
    )
    print(f"{number:,} episodes of {mean:,.0f} characters, {width} at once, durability {durability}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.sqlite"
        with RunWriter.create(path, MANIFEST, durability) as writer:
            timed("calls", number, lambda: asyncio.run(at_once(answers, width, writer.call)))
            timed("episodes", number, lambda: asyncio.run(at_once(made, width, writer.episode)))
            waited = asyncio.run(paced(answers[:2000], 500, writer.call))
            waits = f"half {ms(waited, 0.5)}, 99 in 100 {ms(waited, 0.99)}, all {ms(waited, 1)}"
            print(f"{'500 calls a second':<28}wait {waits} at most")
        print(f"{'file':<28}{path.stat().st_size / number / 1000:>8.1f} kB an episode")
        with RunReader(path) as reader:
            timed("episodes read", number, lambda: sum(1 for _ in reader.episodes()))
            timed("headings read", number, lambda: sum(1 for _ in reader.headings()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--episodes", type=int, default=6000)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--durability", choices=["process", "power"], default="process")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.json:
        print(json.dumps(figures()))
        raise SystemExit
    main(arguments.episodes, arguments.size, arguments.at_once, arguments.durability)
