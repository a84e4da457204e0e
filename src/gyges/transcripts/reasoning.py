"""Tagged reasoning taken out of an answer's text. It knows tags and lines, neither providers nor what is meant.

A tag counts where it stands as structure: at the start of a line, or in a pair around several words. A tag that
prose only mentions ("I was asked for <think> tags") stays where it is, in the answer or in the reasoning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from gyges.transcripts.record import Reasoning, Visibility

_MENTIONED = re.compile(r"[ \t]+(?:tags?|blocks?|sections?|elements?|markers?|delimiters?)\b")
_TO_LINE_END = re.compile(r"[ \t\r]*(?:\n|\Z)")
_BLANK = re.compile(r"\s*\Z")
_QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’", "«": "»"}
_SENTENCE_END = frozenset(".!?:;…)]}*\"'”’`")
_WORDS_OF_A_THOUGHT = 4


class _Standing(IntEnum):
    """How much a tag looks like structure rather than prose."""

    MENTION = 0
    LOOSE = 1
    ATTACHED = 2
    OWN_LINE = 3


@dataclass(frozen=True, slots=True)
class _Tag:
    start: int
    end: int
    name: str
    closing: bool
    standing: _Standing


@dataclass(frozen=True, slots=True)
class _Block:
    """A piece of reasoning: words from `start` to `end`, tags and all from `outer` to `resume`."""

    outer: int
    start: int
    end: int
    resume: int
    name: str
    closed: bool


def split_tags(text: str, tags: Sequence[str], visibility: Visibility) -> tuple[tuple[Reasoning, ...], str]:
    """The reasoning inside `tags` (names, with or without angle brackets), in order, and the answer without it.

    A closing tag with no opening one ends reasoning that began where the answer would have (servers that put the
    opening tag into the prompt). An opening tag that is never closed makes everything after it reasoning, with
    `closed=False`. Nested and doubled tags are one piece. Every piece is a substring of `text`; so is each part of
    the answer. Without reasoning the answer is `text` itself. Tag names are matched without regard to case.
    """
    blocks = _blocks(text, _tags(text, [tag.strip("</>") for tag in tags]))
    if not blocks:
        return (), text
    pieces = tuple(
        Reasoning(visibility, f"tag:<{block.name}>", text[block.start : block.end].strip(), closed=block.closed)
        for block in blocks
        if block.name
    )
    return pieces, _outside(text, blocks).strip()


def _outside(text: str, blocks: Sequence[_Block]) -> str:
    edges = [0, *(edge for block in blocks for edge in (block.outer, block.resume)), len(text)]
    return "".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))


def _tags(text: str, names: Sequence[str]) -> list[_Tag]:
    if "<" not in text or not names:
        return []
    given = {name.lower(): name for name in names}
    choice = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    # Beginning with a plain character, the pattern skips through megabytes of text without tags.
    pattern = re.compile(rf"<(/?)({choice})\s*>", re.IGNORECASE)
    return [_tag(text, match, given[match[2].lower()]) for match in pattern.finditer(text)]


def _tag(text: str, match: re.Match[str], name: str) -> _Tag:
    start, end = match.span()
    return _Tag(start, end, name, bool(match[1]), _standing(text, start, end, bool(match[1])))


def _standing(text: str, start: int, end: int, closing: bool) -> _Standing:
    before, after = text[start - 1 : start], text[end : end + 1]
    if (before in _QUOTES and after == _QUOTES[before]) or _MENTIONED.match(text, end):
        return _Standing.MENTION
    if _begins_line(text, start):
        return _Standing.OWN_LINE
    if closing and _TO_LINE_END.match(text, end):
        return _at_line_end(text, start)
    if closing and (after.isalnum() or (after and after in "#*<[(") or before in _SENTENCE_END):
        return _Standing.ATTACHED
    return _Standing.LOOSE


def _begins_line(text: str, at: int) -> bool:
    while at > 0 and text[at - 1] in " \t":
        at -= 1
    return at == 0 or text[at - 1] == "\n"


def _at_line_end(text: str, start: int) -> _Standing:
    """A closing tag that ends a line: `...so be it.</think>` closes, `I must end with </think>` may be prose."""
    attached = not text[start - 1].isspace()
    last = text[max(0, start - 8) : start].rstrip()[-1:]
    return _Standing.OWN_LINE if attached or last in _SENTENCE_END else _Standing.LOOSE


def _blocks(text: str, tags: Sequence[_Tag]) -> list[_Block]:
    blocks: list[_Block] = []
    done, i = 0, 0
    while i < len(tags):
        tag = tags[i]
        if tag.closing:
            block, i = _unopened(text, tag, done, bool(blocks)), i + 1
        elif _opens(text, tags, i, done):
            block, i = _opened(text, tags, i)
        else:
            block, i = None, i + 1
        if block is not None:
            blocks.append(block)
            done = block.resume
    return blocks


def _opens(text: str, tags: Sequence[_Tag], i: int, done: int) -> bool:
    tag = tags[i]
    if tag.standing is _Standing.MENTION:
        return False
    if tag.standing is _Standing.OWN_LINE or _BLANK.match(text, done, tag.start):
        return True
    # In the middle of a line only a pair around several words is reasoning: "between <think> and </think>" is not.
    partner = tags[i + 1] if i + 1 < len(tags) else None
    if partner is None or not partner.closing or partner.name != tag.name or partner.standing is _Standing.MENTION:
        return False
    return len(text[tag.end : partner.start].split(maxsplit=_WORDS_OF_A_THOUGHT)) >= _WORDS_OF_A_THOUGHT


def _opened(text: str, tags: Sequence[_Tag], first: int) -> tuple[_Block, int]:
    """The block that `tags[first]` opens, and the index of the tag to go on with."""
    opening = tags[first]
    last = _closing(tags, first)
    if last is None:
        return _Block(opening.start, opening.end, len(text), len(text), opening.name, closed=False), len(tags)
    closing = tags[last]
    return _Block(opening.start, opening.end, closing.start, closing.end, opening.name, closed=True), last + 1


def _closing(tags: Sequence[_Tag], first: int) -> int | None:
    """The index of the tag that closes `tags[first]`: the one that stands best, nested pairs skipped."""
    name, depth = tags[first].name, 1
    outermost: int | None = None
    weaker: dict[_Standing, int] = {}
    for j in range(first + 1, len(tags)):
        tag = tags[j]
        if tag.name != name or tag.standing is _Standing.MENTION:
            continue
        if not tag.closing:
            if tag.standing is _Standing.OWN_LINE:
                if weaker:
                    break
                depth += 1
        elif tag.standing is _Standing.OWN_LINE:
            depth, outermost = depth - 1, j
            if depth == 0:
                return j
        else:
            weaker.setdefault(tag.standing, j)
    # An opening tag too many (a template's and the model's own) leaves the depth above 0: the last closing counts.
    return outermost if outermost is not None else weaker.get(_Standing.ATTACHED, weaker.get(_Standing.LOOSE))


def _unopened(text: str, tag: _Tag, done: int, after_another: bool) -> _Block | None:
    """A closing tag with no opening one: what came before it, since the last piece, was reasoning."""
    if tag.standing < _Standing.ATTACHED:
        return None
    before = text[done : tag.start]
    if after_another and (_BLANK.match(before) or _BLANK.match(text, tag.end)):
        # A closing tag said twice, before the answer or after it: only the tag itself goes, as a nameless block.
        return _Block(tag.start, tag.end, tag.end, tag.end, "", closed=True)
    return _Block(done, done, tag.start, tag.end, tag.name, closed=True)
