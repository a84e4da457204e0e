"""How fast a model may be asked: fewer at once after a 429, more again later, evenly, nobody while it is held."""

from __future__ import annotations

import asyncio

import pytest

from gyges.batch.flow import A_ROUND, LONGEST_PROMISE, Flow, Limits, Pace, Promise
from gyges.models.rate_limits import Room


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_429_halves_what_is_allowed_at_most_once_a_second(clock: Clock) -> None:
    flow = Flow(Limits(100), clock)
    for _ in range(100):
        flow.throttled(None)
    assert flow.allowed == 50
    clock.now += 1
    flow.throttled(None)
    assert flow.allowed == 25


def test_it_never_falls_below_one(clock: Clock) -> None:
    flow = Flow(Limits(20), clock)
    for _ in range(50):
        clock.now += 1
        flow.throttled(None)
    assert flow.allowed == 1


def test_answers_bring_it_back_to_the_limit_within_some_twenty_rounds_and_not_above(clock: Clock) -> None:
    flow = Flow(Limits(100), clock)
    for _ in range(10):
        clock.now += 1
        flow.throttled(None)
    assert flow.allowed == 1
    rounds = 0
    while flow.allowed < 100:
        rounds += 1
        for _ in range(flow.allowed):
            flow.answered(1, None)
    assert rounds <= 25
    flow.answered(1, None)
    assert flow.allowed == 100


async def test_no_more_calls_at_once_than_allowed() -> None:
    flow, under_way, most = Flow(Limits(3)), 0, 0

    async def call() -> None:
        nonlocal under_way, most
        await flow.enter(1)
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        flow.leave()

    await asyncio.gather(*(call() for _ in range(20)))
    assert most == 3
    assert flow.free()


async def test_a_call_that_is_cancelled_while_it_waits_keeps_no_place() -> None:
    flow = Flow(Limits(1))
    await flow.enter(1)
    waiting = [asyncio.create_task(flow.enter(1)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    flow.leave()
    waiting[1].cancel()  # It was given its place just now.
    await asyncio.gather(waiting[0], waiting[1], return_exceptions=True)
    await asyncio.wait_for(waiting[2], 1)
    flow.leave()
    assert flow.free()


async def test_a_retry_after_holds_everybody() -> None:
    flow = Flow(Limits(5))
    flow.throttled(0.05)
    assert not flow.free()
    loop = asyncio.get_running_loop()
    start = loop.time()
    await asyncio.gather(*(flow.enter(1) for _ in range(2)))
    assert loop.time() - start >= 0.05


def test_a_pace_is_even_after_a_second_of_burst(clock: Clock) -> None:
    pace = Pace(60, clock)
    clock.now += 10
    assert [pace.take(1) for _ in range(4)] == [0, 0, 1, 2]
    clock.now += 2
    assert pace.take(1) == 1


def test_a_pace_of_tokens_is_corrected_by_what_was_used(clock: Clock) -> None:
    flow = Flow(Limits(10, tokens_a_minute=600), clock)
    assert not flow.free()
    pace = Pace(600, clock)
    pace.take(100)
    pace.correct(-50)
    assert pace.take(1) == 5


async def test_calls_that_may_all_go_are_let_go_some_in_each_round_of_the_loop() -> None:
    flow, gone = Flow(Limits(connections=100)), list[int]()
    rounds = 0

    async def call() -> None:
        await flow.enter(1)
        gone.append(rounds)

    waiting = [asyncio.create_task(call()) for _ in range(50)]
    while not all(task.done() for task in waiting):
        await asyncio.sleep(0)
        rounds += 1
    assert len(gone) == 50
    assert max(gone.count(number) for number in set(gone)) <= A_ROUND


async def test_who_gives_up_at_the_turnstile_leaves_the_place_to_others() -> None:
    flow = Flow(Limits(connections=20))
    first = [asyncio.create_task(flow.enter(1)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in first:
        task.cancel()
    await asyncio.gather(*first, return_exceptions=True)
    entered = sum(not task.cancelled() for task in first)
    assert entered <= A_ROUND
    async with asyncio.timeout(5):
        await asyncio.gather(*(flow.enter(1) for _ in range(20 - entered)))


def test_while_much_is_left_a_promise_holds_nobody(clock: Clock) -> None:
    promise = Promise(clock)
    promise.told(Room("requests", 40, 60, 20), 1, 40)
    assert not promise.short
    assert [promise.take(1) for _ in range(3)] == [0, 0, 0]


def test_while_little_is_left_calls_go_no_faster_than_it_fills_up(clock: Clock) -> None:
    promise = Promise(clock)
    promise.told(Room("requests", 10, 60, 100), 1, 40)
    assert [promise.take(1) for _ in range(3)] == [0, 2, 4]
    clock.now += 5
    assert promise.take(1) == 1
    promise.told(Room("requests", 50, 60, 20), 1, 40)
    assert promise.take(1) == 0


def test_where_nothing_is_left_the_next_call_waits_until_there_is(clock: Clock) -> None:
    promise = Promise(clock)
    promise.told(Room("requests", 0, 60, 120), 1, 1)
    assert [promise.take(1) for _ in range(2)] == [2, 4]
    promise = Promise(clock)
    promise.told(Room("tokens", 500, 60_000, 59.5), 1500, 20)
    assert promise.take(1500) == 1


def test_for_a_promise_alone_nobody_waits_longer_than_a_minute(clock: Clock) -> None:
    promise = Promise(clock)
    promise.told(Room("requests", 0, 10, 864_000), 1, 1)
    assert [promise.take(1) for _ in range(2)] == [LONGEST_PROMISE, LONGEST_PROMISE]


async def test_a_flow_whose_provider_has_little_left_paces_each_kind_of_tokens() -> None:
    flow = Flow(Limits(2))
    assert flow.free()
    flow.told([Room("requests", 100, 100, 0), Room("input-tokens", 0, 1000, 2)], 10)
    assert not flow.free()
    loop = asyncio.get_running_loop()
    start = loop.time()
    await flow.enter(10)
    await flow.enter(10)
    assert 0.04 <= loop.time() - start < 1
    flow.told([Room("input-tokens", 1000, 1000, 0)], 10)
    flow.leave()
    assert flow.free()
