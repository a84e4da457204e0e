"""Bytes and JSON, strictly: what every provider's answer is read with and every request is written with.

It knows no provider's field names but those of a token count, and nothing of HTTP.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NoReturn

from gyges.models.provider import CallFailed, Received, Trouble
from gyges.transcripts.record import Outcome, Reasoning, Visibility

Json = dict[str, object]

_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_TOKENS = 10**9
"""A count above this is a provider's mistake, not a bill."""


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


# Writing


def dumps(value: object) -> str:
    """Compact JSON text. Characters stand as themselves, so that stored requests can be read."""
    return _ENCODER.encode(value)


def encode(text: str) -> bytes:
    """JSON text as bytes. A lone surrogate, which UTF-8 can't hold, is written as its JSON escape and so kept."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def joined(settings: Json, name: str, items: Sequence[str]) -> bytes:
    """The body `settings` plus `name`: an array of JSON texts, each of which goes in unchanged."""
    rest = dumps(settings)[1:]
    return encode(f'{{"{name}":[{",".join(items)}]{"," if settings else ""}{rest}')


# Reading


def parse(received: Received) -> tuple[str, Json]:
    """The body as text and as an object. Raises CallFailed (garbled) for what is not one strict JSON object."""
    try:
        text = received.body.decode("utf-8", "surrogatepass")
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise garbled(received, f"the body is no JSON ({why(error)})") from None
    if not isinstance(value, dict):
        raise garbled(received, f"the body is a JSON {type(value).__name__}, not an object")
    return text, value


def value(text: str) -> object:
    """The value of strict JSON. Raises ValueError, or RecursionError where it is nested too deeply."""
    return _DECODER.decode(text)


def why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def garbled(received: Received, what: str) -> CallFailed:
    """A body that is no answer. The detail quotes its beginning."""
    head = visible(received.body[:200].decode("utf-8", "replace"))
    return CallFailed(Trouble.GARBLED, f"{what}; it begins {head!r}", received)


def visible(text: str, most: int = 500) -> str:
    """One line without control characters, at most `most` characters."""
    line = " ".join(text.split())
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line[:most])
    return shown + "..." if len(line) > most else shown


def raw(text: str, *path: str | int) -> str:
    """The value at `path` exactly as it is written in the JSON `text`. Raises LookupError if it is not there."""
    start = 0
    for step in path:
        start = next(at for key, at in _children(text, start) if key == step)
    return text[start : _end(text, start)]


def members(text: str) -> dict[str, str]:
    """The members of the object in the JSON `text`, each value exactly as it is written."""
    return {str(key): text[start : _end(text, start)] for key, start in _children(text, 0)}


def _children(text: str, start: int) -> Iterator[tuple[str | int, int]]:
    """Key or index, and start, of each value of the object or array that begins at `start`."""
    at = _skip(text, start)
    close = {"{": "}", "[": "]"}.get(text[at : at + 1])
    if close is None:
        return
    at, index = _skip(text, at + 1), 0
    while text[at] != close:
        key: str | int = index
        if close == "}":
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        yield key, at
        at, index = _skip(text, _end(text, at)), index + 1
        if text[at] == ",":
            at = _skip(text, at + 1)


def _end(text: str, start: int) -> int:
    """Where the value that begins at `start` ends."""
    return _DECODER.raw_decode(text, start)[1]


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def string(source: Json, name: str) -> str | None:
    value = source.get(name)
    return value if isinstance(value, str) else None


def mapping(source: Json, name: str) -> Json:
    """The object called `name`; empty if there is none."""
    value = source.get(name)
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """The objects of an array; whatever else it holds is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def count(source: Json, name: str) -> int | None:
    """A number of tokens; None for anything that can't be one."""
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_TOKENS:
        return None
    return value


# Answers


_ROUNDS, _LONGEST_ROUND = 8, 400
"""As many rounds, of at most so many characters, are no figure of speech."""


def looping(outcome: Outcome, texts: Sequence[str | None]) -> tuple[str, ...]:
    """A note where an answer that was cut was saying the same thing over and over: no end was near."""
    said = next((text for text in reversed(texts) if text), "")[-_ROUNDS * _LONGEST_ROUND :]
    if outcome is not Outcome.TRUNCATED or not said.strip():
        return ()
    for length in range(1, _LONGEST_ROUND + 1):
        if _same_from_the_end(said, length) >= (_ROUNDS - 1) * length and len(said) >= _ROUNDS * length:
            return (f"it repeats itself to the end: {visible(said[-length:], 60)!r}",)
    return ()


def _same_from_the_end(text: str, by: int) -> int:
    """How many characters, from the end, are those that stand so many before them."""
    pairs = zip(reversed(text), reversed(text[:-by]), strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), max(0, len(text) - by))


# Reasoning


def settled(pieces: Sequence[Reasoning], tokens: int | None) -> tuple[Reasoning, ...]:
    """The pieces with the provider's count of reasoning tokens on the first, so that the counts add up.

    Without any piece there is one all the same: `omitted` where tokens were counted, else `absent`.
    """
    if not pieces:
        return (Reasoning(Visibility.OMITTED if tokens else Visibility.ABSENT, "", tokens=tokens),)
    first = pieces[0]
    return (Reasoning(first.visibility, first.source, first.text, tokens, first.closed), *pieces[1:])
