"""A transcript as one encoded array, or as several that overlap, for judges that can't be given all of it at once.

A text is cut only where it is too long for a part by itself. It knows neither rubrics nor judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from gyges.grading.encode import encode

Channel = Literal["reasoning", "text", "calls"]
Speaker = Literal["agent", "prompt", "tool"]
OVERLAP = 0.01
"""What is repeated from the end of the part before, by the length of a part: no thought may fall between two."""
ORDER: tuple[Channel, ...] = ("reasoning", "text", "calls")


@dataclass(frozen=True, slots=True)
class Piece:
    """One text of one message, or a stretch of it: what stands before `start` and behind `end` is elsewhere."""

    message: int
    speaker: Speaker
    channel: Channel
    text: str
    start: int = 0
    end: int | None = None

    @property
    def words(self) -> str:
        return self.text[self.start : self.end]

    @property
    def whole(self) -> bool:
        return self.start == 0 and self.end in (None, len(self.text))


def encoded(pieces: Sequence[Piece]) -> str:
    """Pieces in order as one JSON array, a message a line."""
    lines = (_entry(list(own)) for _, own in groupby(pieces, key=lambda one: one.message))
    return "[\n" + ",\n".join(lines) + "\n]"


def _entry(pieces: Sequence[Piece]) -> str:
    """One message as a JSON object on a line."""
    parts = [f'"message": {pieces[0].message}', f'"speaker": "{pieces[0].speaker}"']
    for channel in ORDER:
        texts = [encode(one.words) for one in pieces if one.channel == channel]
        if texts:
            value = texts[0] if channel == "text" else f"[{', '.join(texts)}]"
            parts.append(f'"{channel}": {value}')
    if not all(one.whole for one in pieces):
        parts.append('"incomplete": true')
    return f"{{{', '.join(parts)}}}"


def in_parts(pieces: Sequence[Piece], characters: int) -> list[str]:
    """The pieces in parts of at most so many characters, each encoded; one part where they fit into one.

    Each part begins with the end of the one before it.
    """
    whole = encoded(pieces)
    if len(whole) <= characters:
        return [whole]
    parts: list[list[Piece]] = [[]]
    for piece in (cut for one in pieces for cut in _cut(one, characters // 2)):
        longer = _with(parts[-1], piece)
        if parts[-1] and len(encoded(longer)) > characters:
            repeated = _with([_tail(parts[-1][-1], int(OVERLAP * characters))], piece)
            longer = repeated if len(encoded(repeated)) <= characters else [piece]
            parts.append([])
        parts[-1] = longer
    return [encoded(part) for part in parts]


def _with(part: Sequence[Piece], piece: Piece) -> list[Piece]:
    """The part with one piece more; what goes on with the last text is one with it."""
    if not part:
        return [piece]
    last = part[-1]
    goes_on = (last.message, last.channel, last.end) == (piece.message, piece.channel, piece.start)
    if goes_on and last.text == piece.text:
        return [*part[:-1], replace(last, end=piece.end)]
    return [*part, piece]


def _tail(last: Piece, length: int) -> Piece:
    """The end of a piece, at most so long."""
    end = len(last.text) if last.end is None else last.end
    return replace(last, start=max(last.start, end - length), end=end)


def _cut(piece: Piece, room: int) -> Iterator[Piece]:
    """The piece as it is where a part can hold it, else halved, at a line's or a word's end, until each can be."""
    end = len(piece.text) if piece.end is None else piece.end
    if len(encode(piece.words)) <= room or end - piece.start < 2:
        yield piece
        return
    middle = _middle(piece.text, piece.start, end)
    yield from _cut(replace(piece, end=middle), room)
    yield from _cut(replace(piece, start=middle, end=end), room)


def _middle(text: str, start: int, end: int) -> int:
    """A place near the middle of a stretch behind a line, else a word, else anywhere."""
    middle, quarter = (start + end) // 2, (end - start) // 4
    for mark in ("\n", " "):
        at = text.rfind(mark, middle - quarter, middle)
        if at > start:
            return at + 1
    return middle
