"""A long run in one process: plays it and prints, as JSON, what it took. Run as a program, in a folder of its own.

python -m tests.soak EPISODES AT_ONCE
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from gyges.batch.loop import run
from gyges.batch.order import Order, prepare
from gyges.batch.run import play_into
from gyges.models.http import Headers, Taken
from gyges.models.in_process import InProcess
from gyges.scenarios.plan import Seed
from gyges.transcripts.record import Episode, Outcome
from tests.conftest import FAMILY, SCENARIO

SCENARIOS = 10
EARLY = 4_000
"""Episodes after which the process has all that it will need."""
ONE_IN = 1_000
PLACE = "outlier"
OUTLIER = b" ".join([b"This goes on and on."] * 500_000)
"""Ten megabytes of reasoning."""
SECONDS_BETWEEN_LOOKS = 0.01


def make_study() -> None:
    family = Path("scenarios") / "walks" / "family.yaml"
    family.parent.mkdir(parents=True)
    family.write_text(FAMILY, encoding="utf-8")
    for number in range(SCENARIOS):
        text = SCENARIO.replace("NUMBER", str(number))
        (family.parent / f"walk-{number}.yaml").write_text(text, encoding="utf-8")


class WithOutliers:
    """A wire whose every thousandth answer is enormous."""

    def __init__(self, wire: InProcess) -> None:
        self._wire = wire
        self._posted = 0

    async def post(self, url: str, headers: Headers, body: bytes) -> Taken:
        self._posted += 1
        enormous = self._posted % ONE_IN == 0
        taken = await self._wire.post(url, headers, body)
        if not enormous:
            return taken
        answer = json.loads(taken.body)
        answer["choices"][0]["message"]["reasoning_content"] = PLACE
        # A provider would not write ten megabytes in this process, either.
        return taken._replace(body=json.dumps(answer).encode().replace(PLACE.encode(), OUTLIER))

    async def close(self) -> None:
        await self._wire.close()


@dataclass
class Watch:
    """What is looked at while episodes come to their end."""

    planned: int
    count: int = 0
    completed: int = 0
    mib: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    quarters: list[float] = field(default_factory=lambda: [time.perf_counter()])
    late: list[float] = field(default_factory=list)

    def done(self, episode: Episode) -> None:
        self.count += 1
        self.completed += episode.outcome is Outcome.COMPLETED
        if self.count in (EARLY, self.planned):
            self.mib.append(resident_mib())
            self.files.append(len(os.listdir("/proc/self/fd")))
        if self.count % (self.planned // 4) == 0:
            self.quarters.append(time.perf_counter())

    async def look(self) -> None:
        """How much later than it should the loop comes round, until cancelled."""
        while True:
            due = time.perf_counter() + SECONDS_BETWEEN_LOOKS
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            self.late.append(time.perf_counter() - due)

    def told(self) -> dict[str, object]:
        late = sorted(self.late)
        took = [after - before for before, after in zip(self.quarters, self.quarters[1:], strict=False)]
        return {
            "completed": self.completed,
            "mib": self.mib,
            "files": self.files,
            "late_ms": {share: 1000 * late[int(share * (len(late) - 1))] for share in (0.5, 0.99, 0.999, 1.0)},
            "a_second": [self.planned / 4 / seconds for seconds in took],
        }


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def soak(episodes: int, at_once: int) -> dict[str, object]:
    make_study()
    samples = episodes // (2 * SCENARIOS)
    order = Order(("walks",), ("faker",), samples=samples, connections=at_once, in_process=True)
    watch = Watch(episodes)
    wire = WithOutliers(InProcess.knowing(order.scenarios, Seed(order.seed)))
    looking = asyncio.create_task(watch.look())
    await play_into(Path("transcripts") / "run.sqlite", prepare(order), watch.done, wire)
    looking.cancel()
    return watch.told()


if __name__ == "__main__":
    print(json.dumps(run(soak(int(sys.argv[1]), int(sys.argv[2])))))
