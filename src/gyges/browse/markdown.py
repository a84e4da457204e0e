"""A pair as Markdown, for a note or an issue. Model text stands in fences that it can't close."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gyges.browse.lines import PairLine, Side
from gyges.browse.pair import Cell, Note, PairView
from gyges.browse.place import SIDES
from gyges.transcripts.grades import Evidence
from gyges.transcripts.record import Message
from gyges.transcripts.safe import safe, safe_lines


def as_markdown(run: str, line: PairLine, view: PairView) -> str:
    """Both transcripts one after the other, each with what graders found."""
    return "\n".join(_lines(run, line, view)) + "\n"


def _lines(run: str, line: PairLine, view: PairView) -> Iterator[str]:
    yield f"# {_inline(line.scenario)}, sample {line.sample}"
    yield ""
    yield f"Run {_inline(run)}, agent {_inline(line.agent)}, pair `{line.id}`: {line.quadrant.replace('_', ', ')}."
    for number, (side, name) in enumerate(zip(line.sides, SIDES, strict=True)):
        yield ""
        yield f"## {_inline(side.context)}: {_inline(_shown(side))}"
        for turn in view.turns:
            cell = turn.cells[number]
            if cell is not None:
                yield from _message(cell)
        yield from _notes(view.of_side(name), (view.first, view.second)[number] is not None)


def _shown(side: Side) -> str:
    if side.behaviour != "ungraded":
        return side.behaviour
    return f"ungraded ({side.why})"


def _message(cell: Cell) -> Iterator[str]:
    for reasoning in cell.message.reasoning:
        yield ""
        yield f"**{cell.place.message} reasoning** ({reasoning.visibility})"
        if reasoning.text is not None:
            yield from _fenced(reasoning.text)
    yield ""
    answers = f" {_inline(cell.answers)}" if cell.answers else ""
    yield f"**{cell.place.message} {cell.message.role}**{answers}"
    if cell.message.text or not cell.calls:
        yield from _fenced(_with_signal(cell.message))
    for change in cell.message.changes if cell.message.role == "tool" else ():
        yield ""
        yield f"changed {_inline(change.place)}"
        yield from _fenced(change.after.text if change.after else "(removed)")
    for asked in cell.calls:
        yield ""
        yield f"calls {_inline(asked.call.name)}"
        yield from _fenced(asked.call.arguments)


def _with_signal(message: Message) -> str:
    """The signal between brackets, as the terminal shows it."""
    parts, at = [], 0
    for start, end in message.signal:
        parts += [message.text[at:start], "⟦", message.text[start:end], "⟧"]
        at = end
    return "".join([*parts, message.text[at:]])


def _fenced(text: str) -> Iterator[str]:
    longest = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield ""
    yield f"{fence}text"
    yield from safe_lines(text)
    yield fence


def _notes(notes: list[Note], played: bool) -> Iterator[str]:
    yield ""
    if not played:
        yield "*not played yet*"
    for note in notes:
        answer = f"ungraded, {note.name}" if note.ungraded else note.name
        yield f"- {note.question}: {_inline(answer)} (grader {_inline(note.grader)} {_inline(note.version)})"
        for quoted in note.evidence:
            said = f", decoded: {_inline(quoted.decoded)}" if quoted.decoded else ""
            yield f"    - {_place(quoted)}: {_inline(quoted.quote)}{said}"


def _place(quoted: Evidence) -> str:
    return f"message {quoted.message}, {quoted.channel} {quoted.start}-{quoted.end}"


def _inline(text: str) -> str:
    """As code, so that no character of it is Markdown."""
    text = safe(text)
    longest = max((len(found) for found in re.findall("`+", text)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {text} {ticks}" if longest or not text.strip() else f"`{text}`"
