"""The decision in a reply: which choice its last decisive line names. The one rule that everybody uses."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from gyges.scenarios.plan import Behaviour

_EDGE = " \t\r\f\v\u00a0*_`\"'.,;:!?\u2018\u2019\u201c\u201d"
"""What may stand around a choice without changing it."""
_DECORATION = r"[^\S\n]*[*_`]*[^\S\n]*"


@dataclass(frozen=True, slots=True)
class Decision:
    """The label that was chosen, and the span of the line that chose it."""

    label: str
    start: int
    end: int


def decision(text: str, behaviour: Behaviour) -> str | None:
    """The label of the choice that `text` decides for, or None where no line names one."""
    found = find_decision(text, behaviour)
    return found.label if found else None


def find_decision(text: str, behaviour: Behaviour) -> Decision | None:
    """The last line that begins with the marker and names one of the choices.

    Case, markdown's `*`, `_` and backticks, quotes and punctuation around the choice don't matter.
    """
    labels = {same(choice): label for label, choice in behaviour.choices}
    pattern = _pattern(behaviour.marker)
    end = len(text)
    for line in reversed(text.split("\n")):
        start = end - len(line)
        if (match := pattern.match(line)) and (label := labels.get(same(line[match.end() :]))):
            return Decision(label, start, start + len(line.rstrip()))
        end = start - 1
    return None


def same(choice: str) -> str:
    """Choices are the same when this is: case-folded, without decoration, with single spaces."""
    folded = unicodedata.normalize("NFKC", choice).casefold().replace("\u2019", "'")
    return " ".join(folded.strip(_EDGE).split())


@lru_cache(maxsize=256)
def _pattern(marker: str) -> re.Pattern[str]:
    word, colon = (marker[:-1], ":") if marker.endswith(":") else (marker, "")
    return re.compile(rf"[\s*_`]*{re.escape(word)}{_DECORATION}{colon}", re.IGNORECASE)
