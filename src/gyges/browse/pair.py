"""Two transcripts turn beside turn: the signal, the evidence, where they part. It knows no page and no store."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from gyges.browse.marks import WHOLE, Kind, Mark, Piece, pieces
from gyges.browse.parting import Marked, add, aligned, call_id, mark_differences, part
from gyges.browse.place import SIDES, Linked, Place
from gyges.scenarios.plan import Text
from gyges.transcripts.grades import BehaviourShown, Evidence, Grade, Question, ReasoningRead, Ungraded
from gyges.transcripts.record import Episode, Message, Reasoning, ToolCall
from gyges.transcripts.search import Query


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that one grader said of one episode; `letter` marks its evidence in the text."""

    letter: str
    name: str
    grader: str
    version: str
    question: Question
    side: str
    evidence: tuple[Evidence, ...] = ()
    ungraded: bool = False

    def places(self) -> list[str]:
        """The ids of its evidence on the page."""
        return [_id(self.side, quoted, self.letter) for quoted in self.evidence]


@dataclass(frozen=True, slots=True)
class Thought:
    """A block of reasoning; `words` is None where the provider sent none."""

    place: Place
    reasoning: Reasoning
    words: list[Piece] | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A tool call. `parted` when the other side called another tool here, or the same with other words."""

    id: str
    call: ToolCall
    words: list[Piece]
    parted: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A place of the simulated world before and after; None: there was, or is, nothing there."""

    place: str
    before: list[Piece] | None
    after: list[Piece] | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One message of one side. `answers` is the tool that a tool's message comes from."""

    place: Place
    message: Message
    thoughts: tuple[Thought, ...]
    words: list[Piece]
    calls: tuple[Asked, ...] = ()
    answers: str = ""
    changes: tuple[Changed, ...] = ()
    """What the tool changed; of the first message, the world as it was at the start."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What stands side by side. `same` when both sides say the same, word for word."""

    first: Cell | None
    second: Cell | None
    same: bool

    @property
    def cells(self) -> tuple[Cell | None, Cell | None]:
        return self.first, self.second


@dataclass(frozen=True, slots=True)
class PairView:
    """Everything that the page of a pair shows of its transcripts."""

    first: Episode | None
    second: Episode | None
    turns: tuple[Turn, ...]
    notes: tuple[Note, ...]
    forks: dict[str, str]
    """The id of the first divergence in `reasoning` and in `action`, where there is one."""

    def of_side(self, side: str) -> list[Note]:
        return [note for note in self.notes if note.side == side]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is marked where, the words looked for, and how much of a text is shown."""

    marked: Marked
    query: Query | None
    whole: int
    parted: tuple[str, ...]
    """Ids of the tool calls where the two sides part."""
    tools: dict[str, str]
    """By side and id of a call, which tool was called."""

    def cut(self, place: Place, text: str, signal: Sequence[Mark] = ()) -> list[Piece]:
        return pieces(text, [*signal, *self.marked.get(place, ()), *_found(text, self.query)], self.whole)


def view(
    first: Episode | None,
    second: Episode | None,
    grades: Iterable[Grade] = (),
    linked: Linked | None = None,
    query: Query | None = None,
    whole: int = WHOLE,
) -> PairView:
    """Align, mark and annotate. What `query` looks for is marked wherever it is said.

    None is an episode that is not played. Of a text longer than `whole` characters only some is shown.
    """
    given = list(grades)
    episodes = (first, second)
    by_side = [_of(episode, given) for episode in episodes]
    letters = _letters(grade for side in by_side for grade in side)
    marked: Marked = {}
    notes = [
        note
        for side, of_side in zip(SIDES, by_side, strict=True)
        for note in _annotate(side, of_side, letters, marked)
    ]
    rows = aligned(first.messages if first else (), second.messages if second else ())
    forks, parted = part(rows, marked)
    mark_differences(rows, marked)
    if linked:
        add(
            marked,
            linked.place,
            Mark(linked.start, linked.end, "link", id=linked.place.id(linked.start, linked.end)),
        )
    tools = {
        f"{side}-{call.id}": call.name
        for side, episode in zip(SIDES, episodes, strict=True)
        for message in (episode.messages if episode else ())
        for call in message.calls
    }
    shown = _Shown(marked, query, whole, parted, tools)
    turns = tuple(_turn(one, other, shown) for one, other in rows)
    return PairView(first, second, turns, tuple(notes), forks)


def _of(episode: Episode | None, grades: Sequence[Grade]) -> list[Grade]:
    return [grade for grade in grades if grade.episode == episode.key.id()] if episode else []


# What graders said


def _letters(grades: Iterable[Grade]) -> dict[tuple[str, str], str]:
    """A letter for each finding of each grader: A to Z, then AA, AB, ..."""
    keys = sorted({(name, grade.grader) for grade in grades for name, evidence in _said(grade) if evidence})
    return {key: _letter(number) for number, key in enumerate(keys)}


def _letter(number: int) -> str:
    rest, last = divmod(number, len(string.ascii_uppercase))
    return (_letter(rest - 1) if rest else "") + string.ascii_uppercase[last]


def _said(grade: Grade) -> list[tuple[str, tuple[Evidence, ...]]]:
    match grade.answer:
        case BehaviourShown():
            return [(grade.answer.label, grade.answer.evidence)]
        case ReasoningRead():
            return [(found.name, found.evidence) for found in grade.answer.findings]
        case Ungraded():
            return []


def _annotate(
    side: str, grades: Sequence[Grade], letters: dict[tuple[str, str], str], marked: Marked
) -> Iterator[Note]:
    """What the graders said of one episode; their evidence goes into `marked`."""
    for grade in grades:
        if isinstance(grade.answer, Ungraded):
            why = f"{grade.answer.reason}: {grade.answer.detail}" if grade.answer.detail else grade.answer.reason
            yield Note("", why, grade.grader, grade.version, grade.question, side, ungraded=True)
        kind: Kind = "decision" if grade.question == "behaviour" else "evidence"
        for name, evidence in _said(grade):
            letter = letters.get((name, grade.grader), "")
            for quoted in evidence:
                id = _id(side, quoted, letter)
                mark = Mark(quoted.start, quoted.end, kind, name, letter, id, grade.grader, decoded=quoted.decoded)
                add(marked, _where(side, quoted), mark)
            yield Note(letter, name, grade.grader, grade.version, grade.question, side, evidence)


def _where(side: str, quoted: Evidence) -> Place:
    return Place(side, quoted.message, quoted.channel, quoted.block)


def _id(side: str, quoted: Evidence, letter: str) -> str:
    return f"{_where(side, quoted).id(quoted.start, quoted.end)}-{letter}"


# What is shown of them


def _turn(one: tuple[int, Message] | None, other: tuple[int, Message] | None, shown: _Shown) -> Turn:
    same = bool(one and other and one[1] == other[1] and one[1].role != "assistant")
    cells = [_cell(side, entry, shown) if entry else None for side, entry in zip(SIDES, (one, other), strict=True)]
    return Turn(cells[0], cells[1], same)


def _cell(side: str, entry: tuple[int, Message], shown: _Shown) -> Cell:
    number, message = entry
    place = Place(side, number, "text", 0)
    signal = [Mark(start, end, "signal", "signal") for start, end in message.signal]
    thoughts = tuple(
        _thought(Place(side, number, "reasoning", block), reasoning, shown)
        for block, reasoning in enumerate(message.reasoning)
    )
    calls = tuple(_asked(place, at, call, shown) for at, call in enumerate(message.calls))
    answers = shown.tools.get(f"{side}-{message.result.call}", "") if message.result else ""
    changes = tuple(
        Changed(change.place, _state(change.before, shown), _state(change.after, shown))
        for change in message.changes
    )
    return Cell(place, message, thoughts, shown.cut(place, message.text, signal), calls, answers, changes)


def _state(text: Text | None, shown: _Shown) -> list[Piece] | None:
    if text is None:
        return None
    return pieces(text.text, [Mark(start, end, "signal", "signal") for start, end in text.signal], shown.whole)


def _asked(place: Place, at: int, call: ToolCall, shown: _Shown) -> Asked:
    id = call_id(place.side, place.message, at)
    words = pieces(call.arguments, [*_found(call.arguments, shown.query)], shown.whole)
    return Asked(id, call, words, id in shown.parted)


def _thought(place: Place, reasoning: Reasoning, shown: _Shown) -> Thought:
    if reasoning.text is None:
        return Thought(place, reasoning, None)
    return Thought(place, reasoning, shown.cut(place, reasoning.text))


def _found(text: str, query: Query | None, most: int = 200) -> Iterator[Mark]:
    """Where the words that were searched for are said, in any case and whatever stands between them."""
    for found in islice(query.pattern.finditer(text), most) if query else ():
        if found[0]:
            yield Mark(found.start(), found.end(), "found", "found")
