"""Signals, budgets and errors as the user meets them: what is kept, what is said, which exit code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Outcome
from tests.conftest import Shown, Study
from tests.test_batch_faults import Entry, fault, organisms
from tests.worlds import Depot

pytest_plugins = ["tests.depot"]

Gyges = Callable[..., Shown]


@contextmanager
def served(folder: Path, faults: Sequence[Entry]) -> Iterator[str]:
    """Organisms in a thread, for commands that have a loop of their own."""
    loop = asyncio.new_event_loop()
    ready: list[str] = []
    there, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with organisms(folder, faults) as url:
            ready.append(url)
            there.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert there.wait(10)
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


SLOW = fault(kind="hang", seconds=0.4)


def run_of(study: Study) -> Path:
    (path,) = (study.root / "transcripts").glob("*.sqlite")
    return path


def outcomes(path: Path) -> list[Outcome]:
    with RunReader(path) as reader:
        return [heading.outcome for heading in reader.headings()]


def started(study: Study, url: str) -> subprocess.Popen[str]:
    """A run in a process of its own, which has its first episode."""
    words = ["run", "walks", "--agent", "faker", "--base-url", url, "--max-connections", "4"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gyges", *words], cwd=study.root, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 30
    while time.monotonic() < until:
        paths = list((study.root / "transcripts").glob("*.sqlite"))
        if paths and outcomes(paths[0]):
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the run did not begin")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_lets_episodes_in_flight_end_and_begins_no_more(study: Study, sign: int, gyges: Gyges) -> None:
    with served(study.root, [SLOW]) as url:
        process = started(study, url)
        os.kill(process.pid, sign)
        _, said = process.communicate(timeout=30)
        path = run_of(study)
        assert process.returncode == 130, said
        assert "no more episodes are begun" in said
        assert f"gyges resume {path.stem}" in said
        assert "Traceback" not in said
        kept = outcomes(path)
        assert 0 < len(kept) < 24
        assert set(kept) == {Outcome.COMPLETED}
        with RunReader(path) as reader:
            assert reader.in_flight() == []
        if sign == signal.SIGINT:
            assert gyges("resume", path.stem).code == 0
            assert outcomes(path) == [Outcome.COMPLETED] * 24


def test_a_second_signal_stops_at_once_and_what_was_sent_is_listed(study: Study, gyges: Gyges) -> None:
    forever = fault(kind="hang", seconds=3600)
    with served(study.root, [{**forever, "match": {"nth": list(range(9, 100))}}]) as url:
        process = started(study, url)
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.3)
        shown = json.loads(gyges("status", "--json").out)
        assert shown["process"]["pid"] == process.pid
        assert len(shown["in_flight"]) == 4
        assert all(0 < call["seconds"] < 30 for call in shown["in_flight"])
        begun = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=10)
    assert time.monotonic() - begun < 3
    assert process.returncode == 130, said
    assert "Traceback" not in said
    shown = json.loads(gyges("status", "--json").out)
    assert shown == {
        "run": run_of(study).stem,
        "process": None,
        "agents": {"faker": {"planned": 24, "done": {"completed": 8}}},
        "in_flight": [],
        "possibly_billed": 4,
        "batches": [],
    }
    assert "possibly billed, no answer: 4 calls" in gyges("status").out


def test_a_budget_ends_the_run_between_pairs_with_exit_code_3(study: Study, gyges: Gyges) -> None:
    with served(study.root, []) as url:
        shown = gyges("run", "walks", "--agent", "faker", "--base-url", url, "--call-budget", "9")
        path = run_of(study)
        assert shown.code == 3
        assert "--call-budget 9 is reached; 16 episodes not yet played" in shown.err
        assert f"gyges resume {path.stem}" in shown.err
        with RunReader(path) as reader:
            contexts = [heading.key.context for heading in reader.headings()]
        assert contexts == ["deployment", "training"] * 4
        assert gyges("resume", path.stem).code == 0
        again = gyges("resume", path.stem)
        assert again.code == 0
        assert "nothing was left to be played" in again.err
        with RunReader(path) as reader:
            assert len(reader.grade_sets()) == 1
    assert outcomes(path) == [Outcome.COMPLETED] * 24


@pytest.mark.parametrize(("tolerated", "code"), [("0.05", 1), ("0.2", 0), ("2", 1), ("3", 0)])
def test_more_errors_than_tolerated_are_an_error_of_the_run(
    study: Study, gyges: Gyges, tolerated: str, code: int
) -> None:
    spoilt = {"match": {"nth": [1, 5, 9]}, "fault": {"kind": "change", "set": {"choices.0.message.content": '""'}}}
    with served(study.root, [spoilt]) as url:
        shown = gyges("run", "walks", "--agent", "faker", "--base-url", url, "--fail-on-error", tolerated)
    assert shown.code == code
    assert ("3 of 24 episodes of faker ended in an error" in shown.err) is (code == 1)


@pytest.mark.usefixtures("study")
def test_a_plan_says_what_a_run_will_take_and_sends_nothing(gyges: Gyges) -> None:
    shown = gyges(
        "plan", "walks", "--agent", "faker", "--agent", "vllm/some-model", "--samples", "3", "--no-organisms"
    )
    assert shown.code == 0, shown.err
    first, second, together, design, power, *_ = shown.out.splitlines()
    assert first.startswith("faker: 72 episodes, 72 calls, about ")
    assert first.endswith("no cost")
    assert second.endswith("cost unknown (write the price into prices.yaml)")
    assert together.startswith("together: 144 calls")
    assert design.startswith("walks: 12 scenarios x 1 variant x 3 samples x 2 contexts = 72 episodes an agent")
    assert "smallest gap seen with 80% power" in power
    assert "an agent with tools" not in shown.out


def test_a_plan_with_tools_says_that_there_may_be_more_calls(depot: Depot, gyges: Gyges) -> None:
    depot()
    shown = gyges("plan", "depot", "--agent", "faker")
    assert shown.code == 0, shown.err
    assert "an agent with tools is taken to be asked 5 times a turn" in shown.out


@pytest.mark.parametrize(
    ("share", "cost", "told"),
    [(", batch: 0.5", 0.5, "costs 50% of its price"), ("", 1.0, "write `batch: 0.5` there if they cost half")],
)
def test_a_plan_reckons_with_what_calls_cost_in_batches(
    study: Study, gyges: Gyges, share: str, cost: float, told: str
) -> None:
    (study.root / "prices.yaml").write_text(
        f"prices:\n  openai/gpt-one: {{input: 1000, output: 1000{share}}}\n", encoding="utf-8"
    )

    def asked(*more: str) -> tuple[float, str]:
        shown = gyges("plan", "walks", "--agent", "openai/gpt-one", "--no-organisms", *more)
        assert shown.code == 0, shown.err
        return float(shown.out.splitlines()[0].rpartition("$")[2].replace(",", "")), shown.out

    full, out = asked()
    assert "batches" not in out
    in_batches, out = asked("--batch")
    assert in_batches == pytest.approx(cost * full, abs=0.01)
    assert told in out
