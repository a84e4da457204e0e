"""What an error answer means: the one table from statuses, codes and words to troubles.

It knows the error bodies of OpenAI, Anthropic and the common compatible servers, and makes no call.
"""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from gyges.models import wire
from gyges.models.provider import CallFailed, Received, Trouble

_QUOTA = re.compile(
    r"insufficient_quota|billing|credit balance|spend(?:ing)?[ _-]?limit|insufficient[ _](?:balance|credits|funds)"
    r"|exceeded your current quota|quota_exceeded|out of credits",
    re.IGNORECASE,
)
_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|context (?:window|length|limit|size)"
    r"|prompt is too long|model_context_window|max(?:_completion)?_tokens`?'? is too large"
    r"|input is too long|too many (?:input )?tokens",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content_filter|content[ _]policy|content management policy|content filtering policy|ResponsibleAIPolicy"
    r"|moderation|violating our usage policy|Content Exists Risk|safety_violation|\b[a-z]+_policy(?:_violation)?\b"
    r"|invalid_prompt\b",
    re.IGNORECASE,
)
_AGAIN = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class _Complaint:
    message: str
    labels: str
    """Type and code, for the rules."""


def failed(received: Received) -> CallFailed:
    """The trouble behind an answer whose status is not 2xx."""
    complaint = _complaint(received.body)
    trouble = trouble_of(received.status, f"{complaint.labels} {complaint.message}")
    detail = f"HTTP {received.status}: {complaint.message or 'no message'}"
    if received.status == 413:
        detail += " (the request is too large)"
    if 300 <= received.status < 400:
        detail = (
            f"HTTP {received.status}: redirected to {_location(received)}, which is not followed, so that "
            "the key goes nowhere else; give the final address as base URL"
        )
    return CallFailed(trouble, detail, received, retry_after(received.headers))


def failed_inside(received: Received, error: object) -> CallFailed:
    """The trouble behind a status 200 that carries an error: garbled, unless it is one that stops the run."""
    complaint = _complaint_in(error)
    code = error.get("code") if isinstance(error, dict) else None
    trouble = trouble_of(code if isinstance(code, int) else 400, f"{complaint.labels} {complaint.message}")
    if trouble in (Trouble.REJECTED, Trouble.TRANSIENT):
        trouble = Trouble.GARBLED
    detail = (
        f"HTTP {received.status} with an error inside: {complaint.message or complaint.labels or 'no message'}"
    )
    return CallFailed(trouble, detail, received, retry_after(received.headers))


def trouble_of(status: int, words: str) -> Trouble:
    """By status, and for those that mean several things by the error's type, code and message."""
    if status == 402 or (status in (400, 403, 429) and _QUOTA.search(words)):
        return Trouble.QUOTA
    if status in (400, 403, 422) and _FILTER.search(words):
        return Trouble.FILTERED
    if status in (401, 403):
        return Trouble.AUTHENTICATION
    if status in _AGAIN or status >= 500:
        return Trouble.TRANSIENT
    if status in (400, 413, 422) and _OVERFLOW.search(words):
        return Trouble.CONTEXT_OVERFLOW
    return Trouble.REJECTED


def retry_after(headers: tuple[tuple[str, str], ...], now: float | None = None) -> float | None:
    """Seconds asked for in `retry-after-ms` or `retry-after` (seconds or an HTTP date); None for nonsense."""
    given = {name.lower(): value.strip() for name, value in headers}
    milliseconds = _seconds(given.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = given.get("retry-after", "")
    seconds = _seconds(value)
    # By the provider's own clock where it says the time: ours may be wrong by a day.
    clock = _moment(given.get("date", "")) or time.time() if now is None else now
    return seconds if seconds is not None else _until(value, clock)


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(date: str, now: float) -> float | None:
    moment = _moment(date)
    return moment - now if moment is not None and moment >= now else None


def _moment(date: str) -> float | None:
    """Seconds since 1970 of an HTTP date."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _location(received: Received) -> str:
    place = next((value for name, value in received.headers if name.lower() == "location"), "nowhere")
    return wire.visible(place, 200)


def _complaint(body: bytes) -> _Complaint:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return _Complaint(wire.visible(body[:2048].decode("utf-8", "replace"), 300), "")
    if not isinstance(value, dict):
        return _Complaint(wire.visible(str(value), 300), "")
    # FastAPI's servers say `detail`, vLLM puts message, type and code at the top, everybody else into `error`.
    return _complaint_in(value.get("error", value))


def _complaint_in(error: object) -> _Complaint:
    if not isinstance(error, dict):
        return _Complaint(wire.visible(str(error)), "")
    message = next((error[name] for name in ("message", "detail", "msg") if error.get(name)), "")
    labels = [error.get(name) for name in ("type", "code", "param")]
    metadata = wire.mapping(error, "metadata")
    # OpenRouter says what a 403 is about only here.
    labels += ["moderation"] if "flagged_input" in metadata else []
    words = " ".join(str(label) for label in labels if label is not None)
    return _Complaint(wire.visible(message if isinstance(message, str) else str(message)), words)
