"""Is it the call, or is it the provider? What one model's calls say about each other. It makes no call.

A call that fails for good costs its episode. When everybody's calls fail, the episodes are not to blame: then the
calls wait for the provider to come back, and if it does not, the run stops and can be resumed.
"""

from __future__ import annotations

import time
from typing import Literal

from gyges.batch.flow import Clock
from gyges.models.failures import retry_after
from gyges.models.provider import CallFailed, Received, Trouble

Verdict = Literal["give up", "wait"]

WRONG_PLACE = frozenset({301, 302, 303, 307, 308, 404, 405, 410})
"""No model of that name, or nothing at that path: true of every other call, too."""
HOPELESS = 3
"""So many calls that failed for good, with no answer to any other in between, are an outage."""
BLAMED = 3
"""So many failures, each while other calls were answered, are the call's own."""
REJECTED = 10
"""So many rejected calls in a row, when none was ever answered, are a request that this server does not take."""


class Halt(CallFailed):
    """A failure that stops the run, with what the user can do."""

    def __init__(self, failure: CallFailed, detail: str, to_do: str) -> None:
        super().__init__(failure.trouble, detail, failure.received, failure.retry_after)
        self.to_do = to_do

    @property
    def stops_the_run(self) -> bool:
        return True


def status(failure: CallFailed) -> int | None:
    return failure.received.status if failure.received else None


def is_throttling(failure: CallFailed) -> bool:
    """Too many requests or too much load: never about the one call."""
    return failure.received is not None and is_throttled(failure.received)


def is_throttled(received: Received) -> bool:
    """The same of an answer that nobody has read yet."""
    if received.status in (429, 529):
        return True
    return received.status == 503 and retry_after(received.headers) is not None


class Health:
    """Of one model at one address."""

    def __init__(self, outage_seconds: float = 1800.0, clock: Clock = time.monotonic) -> None:
        self._outage_seconds = outage_seconds
        self._clock = clock
        self._answered_at: float | None = None
        self.answers = 0
        self._rejected = 0
        self._hopeless = 0
        self.down_since: float | None = None
        """When the trouble began that everybody is waiting to end."""

    def answered(self) -> None:
        self._answered_at = self._clock()
        self.answers += 1
        self._rejected = self._hopeless = 0
        self.down_since = None

    def rejected(self, failure: CallFailed) -> CallFailed:
        """The failure to raise for a request that was not taken: a Halt where none will be."""
        if self._answered_at is not None or failure.trouble is not Trouble.REJECTED:
            return failure
        self._rejected += 1
        if status(failure) in WRONG_PLACE:
            return Halt(failure, failure.detail, "check the model's name and --base-url")
        if self._rejected >= REJECTED:
            return Halt(
                failure,
                f"the first {REJECTED} requests were all rejected: {failure.detail}",
                "check the agent's settings",
            )
        return failure

    def used_up(self, failure: CallFailed, blamed: int) -> Verdict:
        """What to do with a call that has used its attempts. Raises Halt after a long outage."""
        if failure.trouble is Trouble.UNREACHABLE and self._answered_at is None:
            return "give up"
        if blamed >= BLAMED:
            return "give up"
        if not is_throttling(failure) and failure.trouble is not Trouble.UNREACHABLE:
            self._hopeless += 1
            if self._hopeless < HOPELESS:
                return "give up"
        now = self._clock()
        if self.down_since is None:
            self.down_since = now if self._answered_at is None else self._answered_at
        if now - self.down_since > self._outage_seconds:
            detail = f"no call was answered for {now - self.down_since:.0f} s: {failure.detail}"
            raise Halt(failure, detail, "`gyges resume` when the provider is back")
        return "wait"
