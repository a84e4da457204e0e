"""What is played next: whole pairs, while the budget lasts, and nothing new after a signal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gyges.batch.prices import Price
from gyges.batch.queue import Queue
from gyges.batch.spending import Allowance, Budget, Expected, Spending
from gyges.models.provider import Usage

PAIRS = [[f"{number}a", f"{number}b"] for number in range(10)]


async def played(queue: Queue[str], spending: Spending, usage: Usage, at_once: int) -> list[str]:
    taken: list[str] = []

    async def worker() -> None:
        while (job := await queue.next()) is not None:
            taken.append(job)
            await asyncio.sleep(0)
            spending.answered(usage)
            await asyncio.sleep(0)
            queue.done(job)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return taken


async def test_all_is_played_where_nothing_is_limited() -> None:
    spending = Spending()
    queue = Queue(PAIRS, Budget(Allowance(), [spending]), lambda _: Expected(1, 10, 10, None))
    assert await played(queue, spending, Usage(), 7) == [job for pair in PAIRS for job in pair]
    assert not queue.left
    assert not queue.reached


async def test_a_limit_on_calls_is_used_up_to_the_last_pair_that_fits_and_never_exceeded() -> None:
    for at_once in (1, 3, 20):
        spending = Spending()
        queue = Queue(PAIRS, Budget(Allowance(calls=9), [spending]), lambda _: Expected(1))
        taken = await played(queue, spending, Usage(1, 1), at_once)
        assert taken == [job for pair in PAIRS[:4] for job in pair]
        assert spending.answers == 8
        assert queue.reached == "--call-budget 9"
        assert queue.left == 12


def guess(spending: Spending) -> Callable[[str], Expected]:
    return lambda _: spending.better(Expected(1, 1.0, 1.0, 0.0))


async def test_limits_on_tokens_and_money_learn_what_a_call_takes() -> None:
    price = Price(1.0, 10.0)
    for allowance in (Allowance(tokens=1000), Allowance(cost=0.0051)):
        spending = Spending(price)
        queue = Queue(PAIRS, Budget(allowance, [spending]), guess(spending))
        taken = await played(queue, spending, Usage(50, 50), 1)
        assert len(taken) % 2 == 0
        assert 8 <= len(taken) <= 10
        assert queue.reached


async def test_after_it_is_closed_nothing_new_begins() -> None:
    queue = Queue(PAIRS, Budget(Allowance(), []), lambda _: Expected())
    assert await queue.next() == "0a"
    queue.close()
    assert await queue.next() is None
    assert queue.left == 19
    assert queue.playing == 1
