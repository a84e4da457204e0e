"""A problem with what is authored, as it is reported. It knows nothing of what can be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gyges.errors import AuthoringError, Place


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to put right (`error`) or to know (`warning`)."""

    severity: Literal["error", "warning"]
    place: Place
    what: str
    to_do: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.severity}: {self.what}"
        return f"{text}; {self.to_do}" if self.to_do else text

    @classmethod
    def of(cls, error: AuthoringError) -> Problem:
        return cls("error", error.place, error.what, error.to_do)
