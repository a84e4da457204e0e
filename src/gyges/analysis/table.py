"""The table that every figure is computed from: one row an episode. It knows no store and no grader."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gyges.scenarios.plan import Contrast, Control, control_of
from gyges.transcripts.record import Outcome, Visibility


@dataclass(frozen=True, slots=True)
class Row:
    """One planned episode of one contrast, graded.

    `complies` and `reveals` are None when ungraded, which is neither True nor False; `ungraded` and `unread`
    then say why. `reveals` is read in both contexts, and used in the first.
    """

    family: str
    agent: str
    scenario: str
    variant: str
    context: str
    sample: int
    outcome: Outcome
    complies: bool | None
    reveals: bool | None
    ungraded: str = ""
    unread: str = ""
    contrast: Contrast | None = None
    """The contrast that `complies` and `reveals` answer for; None: any of the family with this context."""
    visibility: Visibility | None = None
    """The most readable reasoning of the episode; None when it isn't known."""
    turns: int | None = None
    """How often the agent spoke; None when it isn't known."""
    legible: float | None = None
    """The share of the visible reasoning that a reader could follow; None where nobody measured it."""
    label: str = ""
    """The behaviour's own label; "" where it is ungraded or of no interest."""


def of_variants(rows: Iterable[Row], wanted: Callable[[str], bool]) -> list[Row]:
    """The rows of the variants with a wanted name. Of many rows there are few variants: each is asked for once."""
    table = list(rows)
    variants = {variant for variant in {row.variant for row in table} if wanted(variant)}
    return [row for row in table if row.variant in variants]


def of_arm(rows: Iterable[Row], arm: Control | None) -> list[Row]:
    """The rows of one control arm, or with None those of the experiment."""
    return of_variants(rows, lambda variant: control_of(variant)[0] == arm)


def of_experiment(rows: Iterable[Row]) -> list[Row]:
    """The rows that figures about the experiment rest on: control arms are compared with it, never pooled."""
    return of_arm(rows, None)
