"""Is it the call, or is it the provider?"""

from __future__ import annotations

import pytest

from gyges.batch.health import BLAMED, HOPELESS, REJECTED, Halt, Health, is_throttling
from gyges.models.provider import CallFailed, Received, Trouble


def failure(trouble: Trouble = Trouble.TRANSIENT, status: int | None = 500) -> CallFailed:
    return CallFailed(trouble, "planted", None if status is None else Received(status, (), b""))


def test_a_call_that_fails_while_others_are_answered_is_given_up() -> None:
    health = Health()
    health.answered()
    assert health.used_up(failure(), BLAMED) == "give up"
    assert health.down_since is None


def test_calls_that_fail_one_after_the_other_are_an_outage() -> None:
    health = Health()
    verdicts = [health.used_up(failure(), 0) for _ in range(HOPELESS + 1)]
    assert verdicts == ["give up"] * (HOPELESS - 1) + ["wait"] * 2
    assert health.down_since is not None
    health.answered()
    assert health.down_since is None


@pytest.mark.parametrize("status", [429, 529])
def test_a_crowd_is_never_the_calls_own_fault(status: int) -> None:
    assert is_throttling(failure(status=status))
    assert Health().used_up(failure(status=status), 0) == "wait"


def test_nobody_there_is_a_wrong_address_at_first_and_an_outage_later() -> None:
    health, nobody = Health(), failure(Trouble.UNREACHABLE, None)
    assert health.used_up(nobody, 0) == "give up"
    health.answered()
    assert health.used_up(nobody, 0) == "wait"


def test_a_long_outage_stops_the_run() -> None:
    now = [0.0]
    health = Health(outage_seconds=60, clock=lambda: now[0])
    health.answered()
    assert health.used_up(failure(status=429), 0) == "wait"
    now[0] = 61.0
    with pytest.raises(Halt, match="no call was answered for 61 s") as caught:
        health.used_up(failure(status=429), 0)
    assert caught.value.stops_the_run


@pytest.mark.parametrize("status", [404, 405, 301, 308])
def test_a_wrong_place_stops_the_run_unless_it_has_answered_before(status: int) -> None:
    health, wrong = Health(), failure(Trouble.REJECTED, status)
    assert isinstance(health.rejected(wrong), Halt)
    health.answered()
    assert health.rejected(wrong) is wrong


def test_rejected_requests_stop_the_run_when_there_was_nothing_else() -> None:
    health, rejected = Health(), failure(Trouble.REJECTED, 400)
    found = [health.rejected(rejected) for _ in range(REJECTED)]
    assert found[:-1] == [rejected] * (REJECTED - 1)
    assert isinstance(found[-1], Halt)
