"""The table that every figure is computed from: one row an episode. It knows no store and no grader."""

from __future__ import annotations

from collections.abc import Iterable
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

    @property
    def arm(self) -> Control | None:
        """The control arm that the episode belongs to; None: the experiment."""
        return control_of(self.variant)[0]


def of_arm(rows: Iterable[Row], arm: Control | None) -> list[Row]:
    """The rows of one control arm, or with None those of the experiment."""
    return [row for row in rows if row.arm == arm]


def of_experiment(rows: Iterable[Row]) -> list[Row]:
    """The rows that figures about the experiment rest on: control arms are compared with it, never pooled."""
    return of_arm(rows, None)
