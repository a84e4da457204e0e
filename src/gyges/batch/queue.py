"""What to play next: pairs in their order, while the budget and the user let new ones begin. It plays nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from gyges.batch.spending import Budget, Expected

J = TypeVar("J")


class Queue(Generic[J]):
    """Jobs by blocks. A block is begun as a whole, so that the contexts of a pair start side by side."""

    def __init__(self, blocks: Iterable[Sequence[J]], budget: Budget, expect: Callable[[J], Expected]) -> None:
        self._blocks = deque(block for block in blocks if block)
        self._budget = budget
        self._expect = expect
        self._begun: deque[J] = deque()
        self._playing = 0
        self._changed = asyncio.Event()
        self._closed = False
        self.reached = ""
        """The option whose limit forbade the next block."""

    @property
    def playing(self) -> int:
        return self._playing

    @property
    def left(self) -> int:
        """Jobs that nobody has taken."""
        return len(self._begun) + sum(map(len, self._blocks))

    def close(self) -> None:
        """Give out nothing more."""
        self._closed = True
        self._changed.set()

    async def next(self) -> J | None:
        """The next job, when there is one; None when there is none any more."""
        while not self._closed:
            if self._begun:
                self._playing += 1
                return self._begun.popleft()
            if not self._blocks or self.reached:
                return None
            block = self._blocks[0]
            forbidden = self._budget.begin((id(job), self._expect(job)) for job in block)
            if not forbidden:
                self._begun.extend(self._blocks.popleft())
            elif not self._playing:
                self.reached = forbidden
            else:
                # What is under way may turn out to be less than was expected.
                self._changed.clear()
                await self._changed.wait()
        return None

    def done(self, job: J) -> None:
        self._budget.end(id(job))
        self._playing -= 1
        self._changed.set()
