"""What the headers of an answer promise about further calls: how many are left, and when there are more again.

It knows the names that OpenAI (and the servers that follow it) and Anthropic use, and waits for nothing.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

_UNITS = ("requests", "tokens", "input-tokens", "output-tokens")
_OPENAI = "x-ratelimit-"
_ANTHROPIC = "anthropic-ratelimit-"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PARTS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|[smhd])")
_DURATION = re.compile(rf"(?:{_PARTS.pattern})+")


@dataclass(frozen=True, slots=True)
class Room:
    """One limit of a provider, as of an answer."""

    unit: str
    """`requests`, or a kind of tokens."""
    remaining: float
    limit: float | None
    """What remains when nothing was used; None where it is not said."""
    seconds: float
    """Until all of it remains again."""

    @property
    def seconds_each(self) -> float:
        """In which one more remains: it fills up evenly. Without a limit, what is left has to last until then."""
        return self.seconds / max(1.0, self.remaining if self.limit is None else self.limit - self.remaining)


def rooms(headers: tuple[tuple[str, str], ...]) -> tuple[Room, ...]:
    """The limits that are told in full; nonsense is none."""
    given = {name.lower(): value for name, value in headers if "ratelimit" in name.lower()}
    if not given:
        return ()
    date = next((value for name, value in headers if name.lower() == "date"), "")
    found = (_room(given, unit, date) for unit in _UNITS)
    return tuple(room for room in found if room)


def _room(given: Mapping[str, str], unit: str, date: str) -> Room | None:
    def told(prefix: str, what: str) -> str:
        return given.get(f"{prefix}{what}-{unit}" if prefix == _OPENAI else f"{prefix}{unit}-{what}", "").strip()

    prefix = _OPENAI if told(_OPENAI, "remaining") else _ANTHROPIC
    remaining, limit = _number(told(prefix, "remaining")), _number(told(prefix, "limit"))
    seconds = _until_reset(told(prefix, "reset"), date)
    return None if remaining is None or seconds is None else Room(unit, remaining, limit or None, seconds)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until_reset(text: str, date: str) -> float | None:
    """`6m0s`, `120ms`, a number of seconds, or a moment (RFC 3339), by the clock of whoever said it."""
    if _DURATION.fullmatch(text):
        return sum(float(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, moment.timestamp() - _said_at(date))


def _said_at(date: str) -> float:
    """Seconds since 1970 of an answer's `date`; now, where it has none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return time.time()
