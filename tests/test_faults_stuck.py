"""A tool, a judge or the whole process that is stuck: the run still ends, and what it waits for has a name."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gyges.agents import tools
from gyges.batch.order import prepare
from gyges.batch.run import play_into
from gyges.batch.status import status
from gyges.grading.run import grade_stored
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Outcome
from tests.conftest import Study
from tests.fault_run import CALL
from tests.judging import FAKES, HONEST, court, pairs, records
from tests.judging import order as judging_order
from tests.test_batch_faults import EPISODES, PATIENCE, fault, ignore, order, organisms
from tests.test_batch_stop import outcomes, served
from tests.test_faults_hangs import PREPARING, STALLS, stalled

STUCK = '''\
import time


def list_files(state: dict) -> str:
    """All files."""
    time.sleep(3600)
    return ""


tools = (list_files,)
'''
ASKED = {
    "match": {"body": '^(?!.*"role": ?"tool").*'},
    "fault": {"kind": "change", "set": {"choices.0.message.tool_calls": json.dumps([CALL])}},
}
SECONDS_TO_STOP = 3.0
"""After the second signal. A tool is given up after ten."""
UNHURRIED = replace(PATIENCE, call_seconds=1.5)


@pytest.fixture
def stuck(study: Study) -> Study:
    """A study whose agent `stuck` has a tool that never answers."""
    for file, text in {
        "tools/stuck.py": STUCK,
        "stuck.yaml": "model: organism/faker\ngraph: graphs/tools.py:graph\ntools: tools/stuck.py:tools\n",
    }.items():
        path = study.root / "agents" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return study


async def test_a_tool_that_is_stuck_is_given_up_and_the_model_is_told(
    stuck: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "SECONDS", 0.3)
    path = stuck.root / "run.sqlite"
    async with organisms(stuck.root, [ASKED]) as url:
        prepared = prepare(replace(order(url, "stuck"), patience=UNHURRIED))
        begun = time.monotonic()
        async with asyncio.timeout(60):
            await play_into(path, prepared, ignore)
        assert time.monotonic() - begun < EPISODES * 0.3 + 5 + PREPARING
    with RunReader(path) as reader:
        episodes = list(reader.episodes())
    assert [one.outcome for one in episodes] == [Outcome.COMPLETED] * EPISODES
    told = [message.text for one in episodes for message in one.messages if message.role == "tool"]
    assert len(told) == EPISODES
    assert all("did not answer within 0.3 seconds" in text for text in told)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_a_run_whose_tools_are_stuck_still_ends_within_seconds_of_two_signals(stuck: Study) -> None:
    with served(stuck.root, [ASKED]) as url:
        process = begun(stuck, "stuck", url)
        until = time.monotonic() + 60
        while time.monotonic() < until and not answers(stuck):
            time.sleep(0.05)
        assert answers(stuck)
        os.kill(process.pid, signal.SIGINT)
        assert process.stderr
        assert any("no more episodes are begun" in line for line in process.stderr)
        at = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert time.monotonic() - at < SECONDS_TO_STOP
    assert process.returncode == 130, said
    assert "Traceback" not in said


def begun(study: Study, agent: str, url: str) -> subprocess.Popen[str]:
    words = ["run", "walks", "--agent", agent, "--base-url", url, "--max-connections", "4", "--no-organisms"]
    return subprocess.Popen(
        [sys.executable, "-m", "gyges", *words], cwd=study.root, stderr=subprocess.PIPE, stdout=2, text=True
    )


def answers(study: Study) -> int:
    """How many calls of the study's run were answered so far."""
    paths = list((study.root / "transcripts").glob("*.sqlite"))
    if not paths:
        return 0
    with RunReader(paths[0]) as reader:
        return reader.answers()


@pytest.mark.parametrize(
    "where", ["before the headers", *(pytest.param(one, marks=pytest.mark.full) for one in list(STALLS)[1:])]
)
async def test_a_judge_that_is_stuck_is_named_and_asked_again_at_its_deadline(tmp_path: Path, where: str) -> None:
    path = pairs(tmp_path / "one.sqlite", FAKES, HONEST)
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps({"faults": [stalled(STALLS[where], nth=[1, 2])]}), encoding="utf-8")
    async with court(faults=faults) as url:
        wanted = judging_order(url, "careful")
        assert wanted.patience
        patience = replace(wanted.patience, attempts=4, call_seconds=1.0)
        at = time.monotonic()
        judging = asyncio.create_task(grade_stored(path, replace(wanted, patience=patience)))
        named = 0
        async with asyncio.timeout(60):
            while not judging.done():
                named = max(named, len(status(path).in_flight))
                await asyncio.sleep(0.05)
        made = judging.result()
        assert time.monotonic() - at < 2 * 1.0 + 5 + PREPARING
    assert named
    assert made.pending == 0
    assert len(records(path)) == 4
    with RunReader(path) as reader:
        assert reader.in_flight() == []


PLAY = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from gyges.batch.order import prepare
from gyges.batch.run import play_into
from tests.test_batch_faults import ignore, order
from tests.test_faults_stuck import UNHURRIED
prepared = prepare(replace(order(sys.argv[2]), patience=UNHURRIED))
asyncio.run(play_into(Path(sys.argv[1]), prepared, ignore))
"""


@pytest.mark.parametrize("seconds", [3.2, pytest.param(30.0, marks=pytest.mark.full)])
def test_a_process_that_stood_still_beyond_every_deadline_goes_on_and_blames_no_episode(
    study: Study, seconds: float
) -> None:
    """As on a machine that slept: what was in flight is asked again."""
    assert seconds > 2 * UNHURRIED.call_seconds
    path = study.root / "run.sqlite"
    slow = fault(kind="hang", seconds=0.2)
    with served(study.root, [slow]) as url:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        process = subprocess.Popen(
            [sys.executable, "-c", PLAY, str(path), url], cwd=study.root, env=environment, stderr=subprocess.PIPE
        )
        until = time.monotonic() + 30
        while time.monotonic() < until and not (path.exists() and outcomes(path)):
            time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert outcomes(path) == [Outcome.COMPLETED] * EPISODES
