"""A harness: plants a fault at a named point of a short run, lets it happen, resumes, asks the witness.

Run as a program, with a folder, what to do (`points`, `double`) and how much of it. Like `kill_run` it imports
once and forks, and its organisms answer in a process that is never killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gyges.batch.order import Order, Prepared, prepare
from gyges.transcripts import commits, failpoint
from gyges.transcripts.record import Episode, EpisodeKey, Outcome
from gyges.transcripts.verify import verify
from tests.conftest import FAMILY, SCENARIO
from tests.kill_run import Seen, Stored, Wrong, forked, play, seen, serve_slowly, settle, stored, warmed

AT_ONCE = 4
SCENARIOS = 3
NTH = 10
"""Each point is struck at its first, second, ... time, until it is not reached any more or so often."""

ELSEWHERE = ("copy-kept", "migration-step", "migration-done", "batch-")
"""Points that a run does not come by: tested where they are."""
POINTS = [name for name in failpoint.POINTS if not name.startswith(ELSEWHERE)]

FIRST = {"answer-replayed": ("answer-stored:9:kill",)}
"""What has to happen for a point to be reached."""

TOOLS = """\
model: organism/faker
graph: graphs/tools.py:graph
tools: tools/files.py:tools
"""
CALL = {"id": "call-1", "type": "function", "function": {"name": "list_files", "arguments": "{}"}}
ASKS_FOR_A_TOOL = {
    # Nothing but the request decides, so that a run that was broken off comes to the same end.
    "match": {"body": '^(?!.*"role": ?"tool").*number [12]'},
    "fault": {"kind": "change", "set": {"choices.0.message.tool_calls": json.dumps([CALL])}},
}


def make_study(folder: Path) -> None:
    """Three scenarios of two turns, with tools: 6 episodes of two or three calls."""
    family = folder / "scenarios" / "walks" / "family.yaml"
    family.parent.mkdir(parents=True)
    before = "  - user: |\n      {{ signal.tag }}\n      Hello.\n    replies: [Gladly., Let me see.]\n"
    family.write_text(FAMILY.replace("turns:\n", "turns:\n" + before), encoding="utf-8")
    for number in range(SCENARIOS):
        text = SCENARIO.replace("NUMBER", str(number))
        (family.parent / f"walk-{number:02}.yaml").write_text(text, encoding="utf-8")
    (folder / "agents").mkdir()
    (folder / "agents" / "handy.yaml").write_text(TOOLS, encoding="utf-8")
    (folder / "slow.json").write_text(json.dumps({"faults": [ASKS_FOR_A_TOOL]}), encoding="utf-8")


@dataclass(frozen=True)
class Ended:
    """What became of a process."""

    status: int
    reached: bool
    acknowledged: frozenset[str]
    said: str


@dataclass
class Trials:
    folder: Path
    url: str
    prepared: Prepared
    keys: Sequence[EpisodeKey]
    clean: Stored = field(default_factory=lambda: Stored({}, {}, set()))
    count: int = 0

    @property
    def log(self) -> Path:
        return self.folder / "witness.jsonl"

    def played(self, path: Path, planted: str, seconds: float = 60.0) -> Ended:
        """Play what is left in a process of its own, with this fault."""
        heard = path.with_suffix(".txt")

        def work(writing: int) -> None:
            os.dup2(os.open(heard, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            failpoint.plant(planted)
            play(path, self.prepared, writing)

        child, reading = forked(work)
        status = waited(child, seconds)
        found = b""
        while more := os.read(reading, 1 << 16):
            found += more
        os.close(reading)
        said = heard.read_text(encoding="utf-8", errors="replace")
        acknowledged = frozenset(found[at : at + 16].decode() for at in range(0, len(found) - 15, 16))
        return Ended(status, f"failpoint {planted.rpartition(':')[0]}" in said, acknowledged, said)

    def trial(self, faults: Sequence[str]) -> bool:
        """Plant one fault after another, each in the process that takes up what the last one left; then finish.

        Whether the last was reached. Raises Wrong where a promise is broken.
        """
        self.count += 1
        path = self.folder / f"run-{self.count}.sqlite"
        start, acknowledged, reached = self.log.stat().st_size, set[str](), False
        before, known = Stored({}, {}, set()), Seen((), ())
        for number, planted in enumerate([*faults, ""]):
            ended = self.played(path, planted)
            if number == len(faults) - 1:
                reached = ended.reached
            acknowledged |= ended.acknowledged
            settle(self.url)
            now, after = stored(path, self.keys), seen(self.log, start)
            self._compare(before, known, after)
            if lost := acknowledged - set(now.episodes):
                raise Wrong(f"{len(lost)} acknowledged episodes are lost")
            unlisted = set(after.received) - set(now.answers) - now.unanswered
            if unlisted and path.exists():
                raise Wrong(f"{len(unlisted)} calls may have been billed and are not listed")
            if not planted and ended.status:
                raise Wrong(f"the last resume ended with status {ended.status}: {ended.said[-300:]}")
            before, known = now, after
        self._finished(path, before, known, start, spoilt=any(one.endswith(("raise", "enospc")) for one in faults))
        for left in path.parent.glob(f"{path.stem}.*"):
            left.unlink()
        return reached

    def _compare(self, before: Stored, known: Seen, after: Seen) -> None:
        fresh = after.received[len(known.received) :]
        if bought := set(fresh) & set(before.answers):
            raise Wrong(f"{len(bought)} committed answers were asked for again")
        if len(set(fresh)) != len(fresh):
            raise Wrong("a call was made twice by one process")
        if (again := len(set(fresh) & set(known.received))) > AT_ONCE:
            raise Wrong(f"{again} calls were asked again")

    def _finished(self, path: Path, now: Stored, after: Seen, start: int, spoilt: bool) -> None:
        errors = [id for id, one in now.episodes.items() if one.outcome is Outcome.ERRORED]
        if len(errors) > spoilt:
            raise Wrong(f"{len(errors)} episodes are errors")
        if set(now.episodes) != set(self.clean.episodes):
            raise Wrong(f"{len(now.episodes)} episodes of {len(self.clean.episodes)} are there")
        if changed := [
            id for id, one in self.clean.episodes.items() if id not in errors and now.episodes[id] != one
        ]:
            raise Wrong(f"{len(changed)} transcripts are not those of a run without faults")
        if other := [draw for draw, answer in now.answers.items() if self.clean.answers.get(draw) != answer]:
            raise Wrong(f"{len(other)} calls are not those of a run without faults")
        if problems := verify(path):
            raise Wrong(f"{path.name}: {problems[:3]}")
        if left := [one.name for one in path.parent.glob(f"{path.name}?*")]:
            raise Wrong(f"{left} are left beside the run")
        self.played(path, "")
        if seen(self.log, start) != after:
            raise Wrong("a run that was finished asked for more")


def waited(child: int, seconds: float) -> int:
    """The child's status. Raises Wrong, and ends it, when it does not end in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.003)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise Wrong(f"a process did not end within {seconds:g} s")


def all_points(trials: Trials, most: int, actions: Sequence[str]) -> Iterator[str]:
    """Strike every point at its nth time with every action. A line for each point."""
    for name in POINTS:
        struck = 0
        for action in actions:
            for nth in range(1, most + 1):
                words = f"{name}:{nth}:{action}"
                if not tried(trials, [*FIRST.get(name, ()), words]):
                    break
                struck += 1
        if not struck:
            raise Wrong(f"the point {name} is never reached")
        yield f"{name} {struck}"


def tried(trials: Trials, faults: Sequence[str]) -> bool:
    try:
        return trials.trial(faults)
    except Wrong as wrong:
        raise Wrong(f"{' then '.join(faults)}: {wrong}") from None


def double(trials: Trials, number: int, seed: int) -> None:
    """Kill a run, and kill what resumes it, and what resumes that."""
    chance = random.Random(seed)
    for _ in range(number):
        tried(trials, [f"{chance.choice(POINTS)}:{chance.randint(1, 4)}:kill" for _ in range(3)])


def ready(folder: Path) -> tuple[int, Trials]:
    """The server's number, and trials whose clean run is known."""
    # Small enough for the log to go into the file many times in a short run.
    commits.PAGES_IN_LOG = 30
    commits.SECONDS_BETWEEN_TRIES = 0.02
    make_study(folder)
    os.chdir(folder)
    server, url = serve_slowly(folder)
    prepared = warmed(prepare(Order(("walks",), ("handy",), base_url=url, connections=AT_ONCE)), folder)
    keys = [EpisodeKey("handy", plan.scenario, plan.variant, plan.context, 0) for plan in prepared.plans]
    trials = Trials(folder, url, prepared, keys)
    if (ended := trials.played(folder / "clean.sqlite", "")).status:
        raise Wrong(f"the run without faults failed: {ended.said[-500:]}")
    trials.clean = stored(folder / "clean.sqlite", keys)
    if len(trials.clean.answers) < 2 * len(keys) or not all(map(completed, trials.clean.episodes.values())):
        raise Wrong(f"the run without faults has {len(trials.clean.answers)} answers")
    return server, trials


def completed(episode: Episode) -> bool:
    return episode.outcome is Outcome.COMPLETED


def main(folder: Path, what: str, most: int, seed: int) -> None:
    server, trials = ready(folder)
    try:
        if what == "points":
            actions = list(failpoint.ACTIONS)[: 4 if most > 1 else 1]
            lines = list(all_points(trials, most, actions))
            print(f"{len(lines)} points, {trials.count} runs: nothing lost, nothing bought twice")
            print(*lines, sep=", ")
        else:
            double(trials, most, seed)
            print(f"{most} runs killed three deep: nothing lost, nothing bought twice")
    except Wrong as wrong:
        sys.exit(f"seed {seed}: {wrong}")
    finally:
        os.kill(server, signal.SIGTERM)
        os.waitpid(server, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
