"""The call ledger: what a crash costs. The server's witness log is the oracle."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from gyges.batch.calls import Caller, Line
from gyges.batch.flow import Flow, Limits
from gyges.batch.health import HOPELESS, Health
from gyges.batch.retry import Patience
from gyges.models.openai_chat import OpenAIChat
from gyges.models.provider import CallFailed, Received, Sampling, Trouble
from gyges.scenarios.plan import Seed
from gyges.transcripts.record import Call, Episode, Intent, Message


def kills(folder: Path, number: int, seed: int) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.kill_run", str(folder), str(number), str(seed)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=240 + 4 * number,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_after_a_kill_only_calls_without_a_committed_answer_are_asked_again(tmp_path: Path) -> None:
    assert "8 kills" in kills(tmp_path, 8, 1)


@pytest.mark.full
def test_after_many_kills_only_calls_without_a_committed_answer_are_asked_again(tmp_path: Path) -> None:
    assert "200 kills" in kills(tmp_path, 200, 2)


class Nowhere:
    """A ledger that keeps nothing."""

    async def intent(self, intent: Intent) -> None: ...

    async def call(self, call: Call) -> None: ...

    async def episode(self, episode: Episode) -> None: ...


class Failing(OpenAIChat):
    """Fails as often as it is told to, each time after something else has happened, and then answers."""

    def __init__(self, *happens: Callable[[], None]) -> None:
        super().__init__("http://127.0.0.1:9/v1", "none")
        self._happens: Iterator[Callable[[], None]] = iter(happens)
        self.asked = 0

    async def send(self, body: bytes, headers: Mapping[str, str]) -> Received:  # noqa: ARG002 - as told, not as asked
        self.asked += 1
        happens = next(self._happens, None)
        if happens is None:
            return Received(200, (), b'{"choices":[{"message":{"content":"Yes."},"finish_reason":"stop"}]}')
        happens()
        raise CallFailed(Trouble.TRANSIENT, "planted", Received(500, (), b""))


def nothing() -> None: ...


async def test_what_failed_in_an_outage_is_not_held_against_a_call_when_it_is_over() -> None:
    health = Health()
    for _ in range(HOPELESS - 1):
        health.used_up(CallFailed(Trouble.TRANSIENT, "planted", Received(500, (), b"")), 0)
    # Its two attempts are used up, so that it waits; then another call is answered, and it fails once more.
    provider = Failing(nothing, nothing, health.answered)
    patience = Patience(attempts=2, first_pause=0.0, longest_pause=0.0)
    line = Line(provider, "m", Sampling(max_tokens=9), patience, Flow(Limits(1)), health)
    reply = await Caller(line, Nowhere(), "episode", Seed(1))((Message("user", "Well?"),))
    assert (reply.message.text, provider.asked) == ("Yes.", 4)
    await provider.close()
