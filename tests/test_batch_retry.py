"""Which troubles are tried again, and after how long."""

from __future__ import annotations

import random

import pytest

from gyges.batch.retry import AGAIN, Patience
from gyges.models.provider import CallFailed, Trouble

PATIENCE = Patience(attempts=4, first_pause=0.5, longest_pause=2.0, longest_retry_after=100.0)


def pause(trouble: Trouble, attempt: int = 0, retry_after: float | None = None) -> float | None:
    return PATIENCE.pause(CallFailed(trouble, "", retry_after=retry_after), attempt, random.Random(7))


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - AGAIN))
def test_what_would_fail_again_is_not_tried_again(trouble: Trouble) -> None:
    assert pause(trouble) is None


@pytest.mark.parametrize("trouble", sorted(AGAIN))
def test_a_passing_trouble_is_tried_again_until_the_attempts_are_used_up(trouble: Trouble) -> None:
    assert pause(trouble) is not None
    assert pause(trouble, attempt=3) is None


def test_pauses_grow_to_their_ceiling_and_are_spread() -> None:
    chance = random.Random(1)
    failure = CallFailed(Trouble.TRANSIENT, "")
    patience = Patience(attempts=100, first_pause=0.5, longest_pause=2.0)
    for attempt, ceiling in ((0, 0.5), (1, 1.0), (2, 2.0), (50, 2.0)):
        drawn = [patience.pause(failure, attempt, chance) or 0.0 for _ in range(500)]
        assert max(drawn) <= ceiling
        assert max(drawn) - min(drawn) > 0.9 * ceiling


def test_never_sooner_than_the_provider_asks() -> None:
    for seed in range(200):
        waited = PATIENCE.pause(CallFailed(Trouble.TRANSIENT, "", retry_after=30.0), 0, random.Random(seed))
        assert waited is not None
        assert 30.0 <= waited <= 30.5


def test_a_provider_that_asks_for_too_much_is_given_up() -> None:
    assert pause(Trouble.TRANSIENT, retry_after=86_400.0) is None


def test_an_address_where_nobody_listens_is_given_up_sooner() -> None:
    patience = Patience(attempts=9, attempts_unreachable=2)
    assert patience.pause(CallFailed(Trouble.UNREACHABLE, ""), 0, random.Random(1)) is not None
    assert patience.pause(CallFailed(Trouble.UNREACHABLE, ""), 1, random.Random(1)) is None
