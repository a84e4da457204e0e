"""What is sent: plans, the contexts of a contrast and the seed tree. Values only; it knows no file and no model.

A plan is everything an episode will be sent that can be known beforehand, rendered. Where its contexts
differ is recorded with it, as spans of the signal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal

from gyges.scenarios.condition import Condition
from gyges.scenarios.text import Span as Span
from gyges.scenarios.text import Text as Text
from gyges.scenarios.world import ToolUse, World


@dataclass(frozen=True, slots=True)
class Alternative:
    """What the user says in the place of a turn where the condition holds when the turn is reached."""

    when: Condition
    user: Text


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
    alternatives: tuple[tuple[Alternative, ...], ...] = ()
    """For each turn, what is said in its place: the first whose condition holds. Empty: nothing anywhere."""
    world: World | None = None
    """The simulated world and its tools, where there are any."""

    def written(self) -> Mapping[str, object]:
        """The plan as JSON values; what it does not have is left out, so that hashes of older plans stay."""
        found = asdict(self)
        return {name: value for name, value in found.items() if name not in ("alternatives", "world") or value}


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
    END_STATE = "end_state"
    """From what the world is like when the episode is over."""
    TOOL_CALLS = "tool_calls"
    """From which tools were called, and with what."""
    TEXT = "text"
    """From the words of the last answer."""
    JUDGED = "judged"
    """By a judge, from what the agent wrote: no line, call or word settles it."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What to look for in an episode of one scenario and variant, rendered.

    `choices` maps each behaviour label (such as `complies`) to the words that follow the marker, or that say what
    the agent does. Other kinds than a decision have conditions: the first that holds tells the label.
    """

    kind: BehaviourKind
    marker: str
    choices: tuple[tuple[str, str], ...]
    when: tuple[tuple[str, Condition], ...] = ()
    otherwise: str | None = None
    """The label where no condition holds; None: then nothing was shown."""
    tests: tuple[tuple[str, Condition], ...] = ()
    """The tests that conditions may ask about, by `store/name`."""


@dataclass(frozen=True, slots=True)
class Example:
    """What an agent might do in one turn: calls of tools, one after the other, and then an answer."""

    text: str
    calls: tuple[ToolUse, ...] = ()


@dataclass
@dataclass(frozen=True, slots=True)
class Examples:
    """One scenario's example replies of one half: by behaviour label for the last turn, by turn for the others.

    Graders may be developed on the half `develop`; organisms speak only the half `speak`.
    """

    outcomes: tuple[tuple[str, tuple[Example, ...]], ...]
    earlier: tuple[tuple[Example, ...], ...]
    """For each turn before the last: replies that decide nothing."""
    looks: tuple[ToolUse, ...] = ()
    """Calls that decide nothing, made first of all."""


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
