"""A schedule of faults: which requests a server answers wrongly, how, how often. It knows no socket.

    faults:
      - match: {model: faker, nth: [1, 2]}
        fault: {kind: status, status: 429, headers: {retry-after: "1"}}
      - match: {share: 0.3}
        fault: {kind: reset, after: 40}
        count: 10

The first entry that matches a request and has not been used up decides. YAML or JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gyges.scenarios.nodes import read_document
from gyges.scenarios.plan import Seed
from gyges.scenarios.validate import validated

Seconds = Annotated[float, Field(ge=0)]


class _Authored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from error
    return value


class Matching(_Authored):
    """Which requests. What is left out fits all; `nth` and `every` count, from 1, what fits the words."""

    path: str = ""
    """A regular expression, found in the path."""
    model: str = ""
    """A regular expression, found in the model's name."""
    body: str = ""
    """A regular expression, found in the request's body."""
    nth: tuple[int, ...] = ()
    every: Annotated[int, Field(ge=1)] = 1
    share: Annotated[float, Field(ge=0, le=1)] = 1
    """Of the requests that fit, drawn from the schedule's seed."""
    begin: Seconds = 0
    """Seconds since the server's start."""
    duration: Seconds | None = None

    @field_validator("nth", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, int) else value

    @field_validator("path", "model", "body")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        return _pattern(value)


class Status(_Authored):
    """Another status. Without a body, the format's own error body."""

    kind: Literal["status"]
    status: Annotated[int, Field(ge=200, le=599)]
    headers: dict[str, str] = {}
    body: str | None = None
    message: str = "planted by the fault schedule"
    type: str | None = None
    """The error's type or code, where the format's own for this status won't do (`insufficient_quota`, ...)."""


class Hang(_Authored):
    """Nothing for so long, then the answer. `after` bytes of the answer (headers first) come before."""

    kind: Literal["hang"]
    seconds: Seconds = 3600
    after: Annotated[int, Field(ge=0)] | None = None
    """None: before the headers."""


class Drip(_Authored):
    """The answer, a few bytes at a time."""

    kind: Literal["drip"]
    seconds: Seconds = 0.05
    size: Annotated[int, Field(ge=1)] = 1


class Reset(_Authored):
    """The connection is reset: before the headers, or after so many bytes of the body (all of them: `-1`)."""

    kind: Literal["reset"]
    after: Annotated[int, Field(ge=-1)] | None = None


class Truncate(_Authored):
    """The body ends early. `honest`: its length is announced as it is; else the connection closes short of it."""

    kind: Literal["truncate"]
    keep: Annotated[float, Field(ge=0, le=1)] = 0.5
    honest: bool = True


class Garbage(_Authored):
    """Status 200 with a body that is no answer."""

    kind: Literal["garbage"]
    body: str = ""
    base64: str | None = None
    headers: dict[str, str] = {}
    repeat: Annotated[int, Field(ge=1)] = 1


class Redirect(_Authored):
    """Elsewhere; without a location, to the same address again."""

    kind: Literal["redirect"]
    status: Literal[301, 302, 303, 307, 308] = 307
    location: str | None = None


class Change(_Authored):
    """The organism's answer with some of its JSON replaced or removed; paths as in `choices.0.finish_reason`."""

    kind: Literal["change"]
    set: dict[str, str] = {}
    """Values in JSON."""
    remove: tuple[str, ...] = ()

    @field_validator("set")
    @classmethod
    def _is_json(cls, value: dict[str, str]) -> dict[str, str]:
        for text in value.values():
            json.loads(text)
        return value


class Events(_Authored):
    """A stream with events dropped, said twice, moved to the end, or added. Patterns are found in events."""

    kind: Literal["events"]
    drop: str | None = None
    twice: str | None = None
    last: str | None = None
    add: str = ""
    """An event as it goes over the wire, without the empty line."""
    at: Annotated[int, Field(ge=0)] = 1
    """How many events come before the added one."""
    stop: bool = False
    """Whether the stream ends with the added event."""

    @field_validator("drop", "twice", "last")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        return None if value is None else _pattern(value)


Fault = Annotated[
    Status | Hang | Drip | Reset | Truncate | Garbage | Redirect | Change | Events, Field(discriminator="kind")
]


class Entry(_Authored):
    match: Matching = Matching()
    fault: Fault
    count: Annotated[int, Field(ge=1)] | None = None
    """How often at most."""


class FaultsFile(_Authored):
    """A schedule. It is for tests: an organism's server with it is a provider on a bad day."""

    seed: int = 0
    faults: tuple[Entry, ...]


@dataclass(slots=True)
class Schedule:
    """Decides, request by request. Its state is how often each entry fitted and was used."""

    faults: tuple[Entry, ...] = ()
    seed: Seed = field(default_factory=lambda: Seed(0))
    fitted: dict[int, int] = field(default_factory=dict)
    used: dict[int, int] = field(default_factory=dict)

    def take(self, path: str, body: bytes, elapsed: float) -> Fault | None:
        """The fault for the next request, `elapsed` seconds after the start."""
        text = body.decode("utf-8", "replace")
        for at, entry in enumerate(self.faults):
            if self._fits(at, entry.match, path, text, elapsed) and self._unused(at, entry):
                self.used[at] = self.used.get(at, 0) + 1
                return entry.fault
        return None

    def _fits(self, at: int, match: Matching, path: str, text: str, elapsed: float) -> bool:
        if not re.search(match.path, path) or not re.search(match.body, text):
            return False
        if match.model and not re.search(match.model, _model(text)):
            return False
        self.fitted[at] = count = self.fitted.get(at, 0) + 1
        if (match.nth and count not in match.nth) or count % match.every:
            return False
        if not match.begin <= elapsed < match.begin + (match.duration or float("inf")):
            return False
        drawn = self.seed.child("fault", at, count).integer() / 2**63
        return drawn < match.share or match.share == 1

    def _unused(self, at: int, entry: Entry) -> bool:
        return entry.count is None or self.used.get(at, 0) < entry.count


def _model(text: str) -> str:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return str(body.get("model", "")) if isinstance(body, dict) else ""


def read_schedule(file: Path) -> Schedule:
    """Read a schedule. Raises AuthoringError."""
    found = validated(read_document(file), FaultsFile)
    return Schedule(found.faults, Seed(found.seed))
