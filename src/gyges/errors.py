"""One family of errors. Each says what, where and what to do; one place, the command line, catches them.

GygesError                 exit code 1
├── UsageError             2  a wrong flag, an unknown name, a missing file
│   └── AuthoringError     2  something authored is wrong; carries file, line and column
├── ImportLineError        2  a line of an imported file is wrong; carries file and line
├── StoreError             1  a run's file is missing, damaged or in use
├── LimitReached           3  a budget or a limit stopped the run
├── ProviderError          4  a model call failed for good (wrong key, unreachable address, ...)
│   └── AuthenticationError 4 the provider does not accept the key
└── Interrupted          130  stopped by the user; the run can be resumed
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


def several(number: int, noun: str, plural: str = "") -> str:
    """`1 run`, `2 runs`: a count as messages say it. `plural` where an s does not make it."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


class GygesError(Exception):
    """Something the user has to know: `what` happened and what `to_do` about it."""

    exit_code = 1

    def __init__(self, what: str, to_do: str = "") -> None:
        self.what = what
        self.to_do = to_do
        super().__init__(what)

    def __str__(self) -> str:
        return f"{self.what}; {self.to_do}" if self.to_do else self.what


class UsageError(GygesError):
    """The command can't be carried out as it was given."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file. Lines and columns count from 1, as editors do."""

    file: Path
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [str(self.file)]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


class AuthoringError(UsageError):
    """A scenario, agent or grader can't be used as it is written."""

    def __init__(self, place: Place, what: str, to_do: str = "") -> None:
        self.place = place
        super().__init__(what, to_do)

    def __str__(self) -> str:
        return f"{self.place}: {super().__str__()}"


class ImportLineError(UsageError):
    """A line of a file of transcripts can't be read."""

    def __init__(self, place: Place, what: str, to_do: str = "") -> None:
        self.place = place
        super().__init__(what, to_do)

    def __str__(self) -> str:
        return f"{self.place}: {super().__str__()}"


class StoreError(GygesError):
    """A run's file is missing, damaged, of another version or in use."""


class LimitReached(GygesError):  # noqa: N818 - the run did what it was told
    """A budget or a limit stopped the run."""

    exit_code = 3


class ProviderError(GygesError):
    """A model call failed and trying again won't help."""

    exit_code = 4


class AuthenticationError(ProviderError):
    """The provider does not accept the key, or none is set."""


class Interrupted(GygesError):  # noqa: N818 - the user's wish, not a fault
    """Stopped by the user; the run can be resumed."""

    exit_code = 130
