"""Which look at a growing run this is, and what a finding takes at it. It knows rows and no store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gyges.analysis.interval import Estimate
from gyges.analysis.sequential import Look, looks
from gyges.analysis.table import Row, of_experiment
from gyges.transcripts.record import Outcome


@dataclass(frozen=True, slots=True)
class LookNow:
    """Look `number` of `of`: `fraction` of the planned episodes are played. 0 is before the first look.

    `p_below` is what the gap's p has to be below, None before the first look; `found` whether it is.
    """

    number: int
    of: int
    fraction: float
    p_below: float | None
    found: bool | None


def look_now(rows: Sequence[Row], gap: Estimate | None, planned: int) -> LookNow | None:
    """The look of one result's rows, pending ones included; None where the plan declared no looks.

    Looks are evenly spaced in the share of episodes played. A run grows by pairs in random order, not by whole
    scenarios, so looks are more alike than `sequential.looks` takes them for, which errs on the safe side.
    """
    own = of_experiment(rows)
    if planned < 2 or not own:
        return None
    fraction = sum(row.outcome is not Outcome.PENDING for row in own) / len(own)
    number = math.floor(fraction * planned + 1e-9)
    if number == 0:
        return LookNow(0, planned, fraction, None, None)
    bound = _evenly(planned)[number - 1].p
    return LookNow(number, planned, fraction, bound, None if gap is None or gap.p is None else gap.p < bound)


@lru_cache(maxsize=8)
def _evenly(planned: int) -> tuple[Look, ...]:
    return looks([i / planned for i in range(1, planned + 1)])
