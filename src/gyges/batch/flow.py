"""How fast one model may be asked: calls at once, requests and tokens a minute. It makes no call.

Calls at once adapt (additive increase, multiplicative decrease; Chiu and Jain 1989) to what the provider bears:
a 429 halves them, at most once a second; a round of answers gives a twentieth of the limit back. A Retry-After
holds everybody, not only the call that was told. Where a provider's headers say that little is left, calls go no
faster than it fills up again, so that the 429 need not come.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gyges.models.rate_limits import Room

Clock = Callable[[], float]
"""Monotonic seconds."""

A_ROUND = 8
"""Calls let go in one round of the event loop. Hundreds that go together come back together, and then each round
takes seconds, in which no other answer is committed and no deadline is kept."""
SECONDS_BETWEEN_CUTS = 1.0
BURST_SECONDS = 1.0
"""How far ahead of an even pace calls may be."""
LONGEST_PROMISE = 60.0
"""Seconds that a call waits at most because of what headers say; then a 429 decides."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that the user allows for one model at one address. None: no limit."""

    connections: int = 20
    requests_a_minute: float | None = None
    tokens_a_minute: float | None = None


class Pace:
    """At most so many units a minute, evenly (the generic cell rate algorithm)."""

    def __init__(self, a_minute: float, clock: Clock) -> None:
        self._seconds_each = 60.0 / a_minute
        self._clock = clock
        self._next = clock()

    def take(self, units: float) -> float:
        """Take units in turn. Seconds to wait until they may be used."""
        now = self._clock()
        at = max(self._next, now - BURST_SECONDS)
        self._next = at + units * self._seconds_each
        return max(0.0, at - now)

    def correct(self, units: float) -> None:
        """What was taken turns out to be so many units more (or, below 0, less)."""
        self._next += units * self._seconds_each


class Promise:
    """A limit of the provider's, as its answers tell it: while little is left, no faster than it fills up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = clock()
        self._seconds_each = 0.0

    @property
    def short(self) -> bool:
        """Whether there is anything to wait for."""
        return self._seconds_each > 0

    def told(self, room: Room, each: float, calls: int) -> None:
        """What an answer said. A call takes `each` units; so many calls may be on their way, uncounted."""
        now = self._clock()
        self._seconds_each = room.seconds_each if room.remaining < each * calls else 0.0
        missing = max(0.0, each - room.remaining) * self._seconds_each
        self._next = max(self._next, now + missing) if self.short else now

    def take(self, units: float) -> float:
        """Seconds to wait until they are there. A promise is no more than that: nobody waits long for it alone."""
        if not self.short:
            return 0.0
        now = self._clock()
        at = min(max(self._next, now), now + LONGEST_PROMISE)
        self._next = at + units * self._seconds_each
        return at - now


class Turnstile:
    """Lets so many through in one round of the event loop, in the order in which they came."""

    def __init__(self, most: int = A_ROUND) -> None:
        self._most = most
        self._passed = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def through(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._passed and not self._waiting:
            loop.call_soon(self._next_round, loop)
        if self._passed < self._most and not self._waiting:
            self._passed += 1
            return
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiter)
        await waiter

    def _next_round(self, loop: asyncio.AbstractEventLoop) -> None:
        self._passed = 0
        while self._waiting and self._passed < self._most:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._passed += 1
                waiter.set_result(None)
        if self._passed:
            loop.call_soon(self._next_round, loop)


class Flow:
    """The way to one model: `enter` before a call, `leave` after it, and tell what came of it."""

    def __init__(self, limits: Limits, clock: Clock = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        self._allowed = float(limits.connections)
        self._used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._paces = [
            (Pace(limits.requests_a_minute, clock), False) if limits.requests_a_minute else None,
            (Pace(limits.tokens_a_minute, clock), True) if limits.tokens_a_minute else None,
        ]
        self._promises: dict[str, Promise] = {}
        self._turnstile = Turnstile()
        self._held_until = 0.0
        self._cut_at = float("-inf")

    @property
    def allowed(self) -> int:
        """Calls at once, as of now."""
        return max(1, int(self._allowed))

    @property
    def in_flight(self) -> int:
        """Calls that are under way."""
        return self._used

    @property
    def held(self) -> float:
        """Seconds for which nothing is sent, because the provider asked for it."""
        return max(0.0, self._held_until - self._clock())

    def free(self) -> bool:
        """Whether a call may be sent at once, for all that is known before its size."""
        short = any(promise.short for promise in self._promises.values())
        return self._used < self.allowed and not self.held and not short and not any(self._paces)

    async def enter(self, tokens: int) -> None:
        """Wait for a place, then for the pace. `tokens` is an estimate of what the call will use."""
        while True:
            await self._place()
            held = self.held
            if not held:
                break
            self.leave()
            await asyncio.sleep(held)
        own = [pace.take(tokens if counts else 1) for pace, counts in filter(None, self._paces)]
        promised = [one.take(_units(unit, tokens)) for unit, one in self._promises.items()]
        seconds = max(own + promised, default=0.0)
        try:
            if seconds:
                await asyncio.sleep(seconds)
            await self._turnstile.through()
        except BaseException:
            self.leave()
            raise

    async def _place(self) -> None:
        if self._used < self.allowed and not self._waiting:
            self._used += 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """The call is over: its place is free."""
        self._used -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._used < self.allowed:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._used += 1
                waiter.set_result(None)

    def answered(self, estimated: int, tokens: int | None) -> None:
        """An answer came, of so many tokens where that is known."""
        most = self.limits.connections
        if self._allowed < most:
            self._allowed = min(float(most), self._allowed + max(1.0, most / 20) / self._allowed)
            self._admit()
        for pace, counts in filter(None, self._paces):
            if counts and tokens is not None:
                pace.correct(tokens - estimated)

    def told(self, rooms: Sequence[Room], tokens: int) -> None:
        """What the headers of an answer promise, to a call of so many tokens."""
        for room in rooms:
            promise = self._promises.setdefault(room.unit, Promise(self._clock))
            # As many calls as may be under way have left, or leave before this news is heard by all: twice that.
            promise.told(room, _units(room.unit, tokens), 2 * self.allowed)

    def throttled(self, retry_after: float | None) -> None:
        """The provider had too much: fewer at once, and nobody before it said."""
        now = self._clock()
        if retry_after:
            self._held_until = max(self._held_until, now + retry_after)
        if now - self._cut_at >= SECONDS_BETWEEN_CUTS:
            self._cut_at = now
            self._allowed = max(1.0, self._allowed / 2)


def _units(unit: str, tokens: int) -> float:
    """What a call of about so many tokens takes of a limit."""
    return 1.0 if unit == "requests" else float(tokens)
