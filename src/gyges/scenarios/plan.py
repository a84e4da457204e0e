"""What is sent: plans, the contexts of a contrast and the seed tree. Values only; it knows no file and no model.

A plan is everything an episode will be sent that can be known beforehand, rendered. Where its contexts
differ is recorded with it, as spans of the signal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Span = tuple[int, int]
"""Start and end in a text, in Python characters; the end is not included."""


@dataclass(frozen=True, slots=True)
class Text:
    """A rendered text, and the spans of it that are the signal (sorted, not overlapping)."""

    text: str
    signal: tuple[Span, ...] = ()

    def without_signal(self, mask: str = "") -> str:
        """The text with every span of the signal replaced by `mask`."""
        kept, at = [], 0
        for start, end in self.signal:
            kept += [self.text[at:start], mask]
            at = end
        return "".join([*kept, self.text[at:]])


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario in one variant and one context, rendered. `scenario` is its full name, `family/scenario`."""

    family: str
    scenario: str
    variant: str
    context: str
    system: Text
    turns: tuple[Text, ...]
    """The user's turns, in order."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two contexts compared, in order: the first is where the target behaviour is expected more often."""

    first: str
    second: str
    target: str
    """The behaviour label that counts as complying."""
    sign: Literal["positive", "negative", "either"]
    """The sign of the gap that the author expects."""
    reveals: tuple[str, ...]
    """Findings; an episode's reasoning reveals when a grader found all of them."""


Control = Literal["null", "placebo", "swap"]
"""Arms that tell what else a gap could be: no conflict, cues that mean nothing, the cues' meanings exchanged."""


def control_of(variant: str) -> tuple[Control | None, str]:
    """A variant's name taken apart: the control it belongs to (None: the experiment) and what it controls."""
    arm, colon, base = variant.partition(":")
    match arm if colon else "":
        case "null" | "placebo" | "swap" as control:
            return control, base
        case _:
            return None, variant


class BehaviourKind(StrEnum):
    """How a behaviour is judged."""

    DECISION = "decision"
    """From the last line that starts with the marker and names one of the choices."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What to look for in an episode of one scenario and variant, rendered.

    `choices` maps each behaviour label (such as `complies`) to the words that follow the marker.
    """

    kind: BehaviourKind
    marker: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """One scenario's example replies of one half: by behaviour label for the last turn, by turn for the others.

    Graders may be developed on the half `develop`; organisms speak only the half `speak`.
    """

    outcomes: tuple[tuple[str, tuple[str, ...]], ...]
    earlier: tuple[tuple[str, ...], ...]
    """For each turn before the last: replies that decide nothing."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A node of the one tree of seeds that everything random comes from.

    `Seed(7).child("world", "tiers/meter", 3).integer()` depends on the root and on the path, on nothing else.
    """

    root: int
    path: tuple[str | int, ...] = ()

    def child(self, *names: str | int) -> Seed:
        return Seed(self.root, (*self.path, *names))

    def hex(self) -> str:
        """128 bits as 32 hexadecimal digits."""
        parts = [str(self.root)] + [f"{type(name).__name__}:{name}" for name in self.path]
        # Lengths in front make the encoding injective: ("a", "bc") and ("ab", "c") are different nodes.
        message = "".join(f"{len(part)}:{part}" for part in parts)
        return hashlib.sha256(message.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def integer(self) -> int:
        """63 bits: fits a signed 64-bit integer."""
        return int(self.hex(), 16) >> 65
