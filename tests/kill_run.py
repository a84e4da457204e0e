"""A harness: forks a process that plays a run, kills it at a random moment, resumes, asks the witness.

Run as a program, with a folder, a number of kills and a seed. Importing once and forking makes a kill cheap; the
organisms answer in a process that is never killed, and an answer depends on nothing but the request and its draw.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from http.client import HTTPConnection
from pathlib import Path

from gyges.batch.loop import run as run_loop
from gyges.batch.order import Order, Prepared, prepare
from gyges.batch.play import noise
from gyges.batch.run import play_into, play_rest
from gyges.models.organism import read_organisms
from gyges.models.organism_corpus import Corpus
from gyges.models.serve import serve
from gyges.scenarios.plan import Seed
from gyges.scenarios.read import select as select_scenarios
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, EpisodeKey
from gyges.transcripts.verify import verify
from tests.conftest import FAMILY, SCENARIO

AT_ONCE = 16
SECONDS_A_CALL = 0.1
"""How long the server takes: far less than a model does. What arrives and is not committed when a kill comes is
the calls at once, times the time from the server's last byte to the commit, over this: 1 is 6 ms."""
ROUNDS = 8
ENOUGH = 100
"""Kills from which on their mean says something."""
WANTED = 1.0
"""Answers a kill, on average, that may be in and not committed: on a machine with a processor to spare."""
QUESTIONS = ("Hello. What do you do?", "What did you do yesterday?", "Is it raining?")


class Wrong(Exception):  # noqa: N818 - what the harness is there to find
    """Something was lost or asked again."""


def make_study(folder: Path) -> None:
    """Ten scenarios of four turns: with two contexts and two samples, 40 episodes."""
    family = folder / "scenarios" / "walks" / "family.yaml"
    family.parent.mkdir(parents=True)
    before = "".join(
        f"  - user: |\n      {{{{ signal.tag }}}}\n      {question}\n    replies: [Gladly., Let me see.]\n"
        for question in QUESTIONS
    )
    family.write_text(FAMILY.replace("turns:\n", "turns:\n" + before), encoding="utf-8")
    for number in range(10):
        text = SCENARIO.replace("NUMBER", str(number))
        (family.parent / f"walk-{number:02}.yaml").write_text(text, encoding="utf-8")
    slow = {"fault": {"kind": "hang", "seconds": SECONDS_A_CALL}}
    (folder / "slow.json").write_text(json.dumps({"faults": [slow]}), encoding="utf-8")


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """A child that does `work` with a pipe's end. Returns its number and the other end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            work(writing)
        except BaseException as error:  # noqa: BLE001 - the child's only way to tell
            print(f"in the child: {error!r}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    os.close(writing)
    return child, reading


def serve_slowly(folder: Path) -> tuple[int, str]:
    """The organisms, in a process of their own. Returns its number and their address."""
    known = read_organisms(Corpus.of(select_scenarios(["walks"])), Seed(1))

    def work(ready: int) -> None:
        asyncio.run(
            serve(
                known,
                seed=Seed(1),
                witness=folder / "witness.jsonl",
                faults=folder / "slow.json",
                ready=lambda url: void(os.write(ready, url.encode())),
            )
        )

    child, reading = forked(work)
    return child, os.read(reading, 100).decode()


def void(_: int) -> None: ...


@dataclass(frozen=True)
class Known(Prepared):
    """What is prepared, with its manifest made once: most of that is reading what every organism says."""

    told: Manifest | None = None

    def manifest(self, run: str) -> Manifest:
        assert self.told
        return self.told.model_copy(update={"run": run})


def warmed(prepared: Prepared, folder: Path) -> Known:
    """For children to be forked: everything is imported, and the collector leaves it alone."""
    known = Known(
        **{one.name: getattr(prepared, one.name) for one in fields(prepared)}, told=prepared.manifest("")
    )
    reading, writing = os.pipe()
    play(folder / "warm.sqlite", known, writing)
    os.close(reading)
    os.close(writing)
    gc.collect()
    gc.freeze()
    return known


def play(path: Path, prepared: Prepared, acknowledge: int) -> None:
    """Play what is left. An episode is acknowledged, by its 16 characters, as the command line would count it."""

    def done(episode: Episode) -> None:
        os.write(acknowledge, episode.key.id().encode())

    run_loop((play_rest if path.exists() else play_into)(path, prepared, done))


def killed(path: Path, prepared: Prepared, seconds: float) -> tuple[float | None, set[str]]:
    """Play for so long at most. When it was killed, if it had to be, and the ids of the acknowledged episodes."""
    child, reading = forked(lambda writing: play(path, prepared, writing))
    until, acknowledged, ended, at = time.monotonic() + seconds, b"", False, None
    while not ended and (left := until - time.monotonic()) > 0:
        if select.select([reading], [], [], left)[0]:
            more = os.read(reading, 1 << 16)
            acknowledged += more
            ended = not more
    if not ended:
        os.kill(child, signal.SIGKILL)
        at = time.time()
    _, status = os.waitpid(child, 0)
    while more := os.read(reading, 1 << 16):
        acknowledged += more
    os.close(reading)
    if ended and status:
        raise Wrong("the run ended with an error")
    ids = {acknowledged[first : first + 16].decode() for first in range(0, len(acknowledged) - 15, 16)}
    return at, ids


@dataclass(frozen=True)
class Seen:
    """What the witness saw of a run, in order: the draw of each request, and when it was answered in full."""

    received: tuple[str, ...]
    sent: tuple[float | None, ...]

    def delivered(self, before: Seen, until: float) -> set[str]:
        """What was answered in full, until then, of the requests that came since `before`.

        A server that waits for the processor goes on for a while to write into the sockets of a dead process."""
        first = len(before.received)
        times = zip(self.received[first:], self.sent[first:], strict=True)
        return {draw for draw, at in times if at is not None and at <= until}


def settle(url: str) -> None:
    """Wait until the server has read, and told the witness, what was on its way when a process died.

    What lies in its sockets it reads in its next rounds; each of these answers takes one."""
    connection = HTTPConnection(url.removeprefix("http://"))
    for _ in range(ROUNDS):
        connection.request("GET", "/v1/models")
        connection.getresponse().read()
    connection.close()


def seen(log: Path, start: int) -> Seen:
    """From byte `start` of the witness log on."""
    draws: dict[int, str] = {}
    sent: dict[int, float] = {}
    for line in log.read_bytes()[start:].splitlines():
        entry = json.loads(line)
        if entry["event"] == "received" and entry["method"] == "POST":
            draws[entry["n"]] = next(value for name, value in entry["headers"].items() if name == "x-gyges-draw")
        elif entry["event"] == "sent" and entry["n"] in draws:
            sent[entry["n"]] = entry["at"]
    return Seen(tuple(draws.values()), tuple(map(sent.get, draws)))


@dataclass
class Stored:
    """What is in a run's file."""

    episodes: dict[str, Episode]
    answers: dict[str, tuple[bytes, bytes | None]]
    """By draw."""
    unanswered: set[str]
    """The draws of the calls that are listed as possibly billed."""


def stored(path: Path, keys: Sequence[EpisodeKey]) -> Stored:
    found = Stored({}, {}, set())
    if not path.exists():
        return found
    by_id = {key.id(): key for key in keys}
    with RunReader(path) as reader:
        found.episodes = {one.key.id(): replace(one, started=0.0, ended=0.0) for one in reader.episodes()}
        for id, key in by_id.items():
            for ordinal, call in reader.answered(id).items():
                found.answers[draw(key, ordinal)] = (call.request, call.response)
        found.unanswered = {draw(by_id[one.episode], one.ordinal) for one in reader.unanswered()}
    return found


def draw(key: EpisodeKey, ordinal: int) -> str:
    """What tells a call from all others, also of the same words."""
    return noise(Seed(1), key).child(ordinal).hex()


@dataclass
class Harness:
    folder: Path
    url: str
    prepared: Prepared
    clean: Stored
    keys: Sequence[EpisodeKey]
    seconds: float
    """What the clean run took."""
    kills: int = 0
    again: list[int] = field(default_factory=list)
    """For each kill, how many calls were asked again."""
    delivered: int = 0
    """Calls that the server had answered in full and that were not committed when the kill came."""

    @property
    def log(self) -> Path:
        return self.folder / "witness.jsonl"

    @property
    def late(self) -> float:
        """Seconds, on average, by which the server answered later than it was told to: for want of a processor."""
        received: dict[int, float] = {}
        late: list[float] = []
        for entry in map(json.loads, self.log.read_bytes().splitlines()):
            if entry["event"] == "received" and entry["method"] == "POST":
                received[entry["n"]] = entry["at"]
            elif entry["event"] == "sent" and entry["n"] in received:
                late.append(entry["at"] - received[entry["n"]] - SECONDS_A_CALL)
        return sum(late) / len(late)

    def run(self, number: int, most: int, chance: random.Random) -> None:
        """One run, killed until it comes to its end (or `most` kills were made)."""
        path = self.folder / f"run-{number}.sqlite"
        start, acknowledged = self.log.stat().st_size, set[str]()
        before, at_kill = Stored({}, {}, set()), Seen((), ())
        at: float | None = 0.0
        while at is not None:
            seconds = chance.uniform(0.02, 0.8) * self.seconds if self.kills < most else 60.0
            at, fresh = killed(path, self.prepared, seconds)
            settle(self.url)
            now, after = stored(path, self.keys), seen(self.log, start)
            acknowledged |= fresh
            self._compare(before, at_kill, now, after)
            if lost := acknowledged - set(now.episodes):
                raise Wrong(f"{len(lost)} acknowledged episodes are lost")
            if at is not None:
                self.kills += 1
                unlisted = set(after.received) - set(now.answers) - now.unanswered
                if unlisted:
                    raise Wrong(f"{len(unlisted)} calls may have been billed and are not listed")
                # Each once, at the kill that lost it: it may still be unanswered at the next.
                self.delivered += len(after.delivered(at_kill, at) - set(now.answers))
            before, at_kill = now, after
        self._finished(path, before, at_kill, start)

    def _compare(self, before: Stored, at_kill: Seen, now: Stored, after: Seen) -> None:
        """What the process since the last kill asked, against what was known when it began."""
        fresh = after.received[len(at_kill.received) :]
        if bought := set(fresh) & set(before.answers):
            raise Wrong(f"{len(bought)} committed answers were asked for again")
        if len(set(fresh)) != len(fresh):
            raise Wrong("a call was made twice by one process")
        if at_kill.received:
            again = set(fresh) & set(at_kill.received)
            self.again.append(len(again))
            if len(again) > AT_ONCE:
                raise Wrong(f"{len(again)} calls were asked again after one kill")
        if changed := [id for id, one in before.episodes.items() if now.episodes.get(id) != one]:
            raise Wrong(f"{len(changed)} stored episodes changed")

    def _finished(self, path: Path, now: Stored, after: Seen, start: int) -> None:
        if now.episodes != self.clean.episodes:
            raise Wrong("the transcripts are not those of a run that nobody killed")
        if now.answers != self.clean.answers:
            raise Wrong("the calls are not those of a run that nobody killed")
        if problems := verify(path):
            raise Wrong(f"{path.name}: {problems[:3]}")
        killed(path, self.prepared, 60.0)
        if seen(self.log, start) != after:
            raise Wrong("a run that was finished asked for more")


def main(folder: Path, kills: int, seed: int) -> None:
    make_study(folder)
    os.chdir(folder)
    server, url = serve_slowly(folder)
    try:
        order = Order(("walks",), ("faker",), samples=2, base_url=url, connections=AT_ONCE)
        prepared = warmed(prepare(order), folder)
        keys = [
            EpisodeKey("faker", plan.scenario, plan.variant, plan.context, sample)
            for plan in prepared.plans
            for sample in range(2)
        ]
        started = time.monotonic()
        killed(folder / "clean.sqlite", prepared, 60.0)
        clean = stored(folder / "clean.sqlite", keys)
        if len(clean.answers) != 4 * len(keys):
            raise Wrong(f"the run that nobody killed has {len(clean.answers)} answers")
        harness = Harness(folder, url, prepared, clean, keys, time.monotonic() - started)
        chance = random.Random(seed)
        number = 0
        while harness.kills < kills:
            harness.run(number, kills, chance)
            number += 1
        mean, late = harness.delivered / harness.kills, harness.late
        # Where the server has to wait for a processor, the run has to as well, and more answers come meanwhile.
        told = f"{mean:.2f} answers a kill were in but not committed (the server was {1000 * late:.1f} ms late)"
        if kills >= ENOUGH and mean > WANTED:
            raise Wrong(told)
        print(
            f"{harness.kills} kills in {number} runs: 0 lost, 0 committed answers asked again, at most "
            f"{max(harness.again)} asked again after a kill, {told}"
        )
    except Wrong as wrong:
        sys.exit(f"seed {seed}: {wrong}")
    finally:
        os.kill(server, signal.SIGTERM)
        os.waitpid(server, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
