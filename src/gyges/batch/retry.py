"""The one retry layer: which troubles are tried again, how often and after how long. It makes no call itself.

The SDKs' own retries are off. What a model or a filter decided (a refusal, a bad tool call) is an answer and never
asked for again; only calls that gave no answer are.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from gyges.models.provider import CallFailed, Trouble

AGAIN = frozenset({Trouble.TRANSIENT, Trouble.GARBLED, Trouble.UNREACHABLE})
"""Everything else would fail again in the same way."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on trying. Times in seconds."""

    attempts: int = 6
    attempts_unreachable: int = 3
    """Nobody listening is more often a wrong address than a passing trouble."""
    first_pause: float = 0.5
    longest_pause: float = 60.0
    longest_retry_after: float = 600.0
    """A provider that asks for more than this stops the run."""
    call_seconds: float = 300.0
    """The deadline of one attempt, from the first byte sent to the last received."""

    def pause(self, failure: CallFailed, attempt: int, chance: random.Random) -> float | None:
        """Seconds to wait before the attempt after `attempt` (from 0); None when it is time to give up.

        Full jitter over an exponential ceiling (Brooker, "Exponential Backoff And Jitter", AWS 2015), and never
        less than what the provider asked for.
        """
        allowed = self.attempts_unreachable if failure.trouble is Trouble.UNREACHABLE else self.attempts
        if failure.trouble not in AGAIN or attempt + 1 >= allowed:
            return None
        asked = failure.retry_after or 0.0
        if asked > self.longest_retry_after:
            return None
        ceiling = min(self.longest_pause, self.first_pause * 2.0**attempt)
        # Jitter on top of what was asked for, so that a thousand waiting calls do not come back at once.
        return asked + chance.uniform(0.0, ceiling)

    def pause_in_outage(self, failure: CallFailed, chance: random.Random) -> float:
        """Seconds between two attempts of a call that waits for its provider to come back."""
        return (failure.retry_after or 0.0) + chance.uniform(self.longest_pause / 2, self.longest_pause)
