"""Two transcripts turn beside turn: the signal, the evidence, where they part. It knows no page and no store."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from gyges.browse.marks import WHOLE, Kind, Mark, Piece, pieces
from gyges.scenarios.plan import Text
from gyges.transcripts.grades import BehaviourShown, Channel, Evidence, Grade, Question, ReasoningRead, Ungraded
from gyges.transcripts.record import Episode, Message, Reasoning, ToolCall

SIDES = ("a", "b")
"""How the first and the second context are named in an element's id and in a deep link."""

_PLACE = re.compile(r"([ab])-(\d{1,6})-(t|r)(\d{1,4})-(\d{1,9})-(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: side, message, channel and block."""

    side: str
    message: int
    channel: Channel
    block: int

    def id(self, start: int, end: int) -> str:
        return f"{self.side}-{self.message}-{self.channel[0]}{self.block}-{start}-{end}"


@dataclass(frozen=True, slots=True)
class Linked:
    """A span that an address points to."""

    place: Place
    start: int
    end: int


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


Marked = dict[Place, list[Mark]]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is marked where, the words looked for, and how much of a text is shown."""

    marked: Marked
    words: str
    whole: int
    parted: tuple[str, ...]
    """Ids of the tool calls where the two sides part."""
    tools: dict[str, str]
    """By side and id of a call, which tool was called."""

    def cut(self, place: Place, text: str, signal: Sequence[Mark] = ()) -> list[Piece]:
        return pieces(text, [*signal, *self.marked.get(place, ()), *_found(text, self.words)], self.whole)


def read_place(text: str) -> Linked | None:
    """The span that a deep link names, such as `a-4-r0-63-119`; None if it names none."""
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    channel: Channel = "reasoning" if found[3] == "r" else "text"
    place = Place(found[1], int(found[2]), channel, int(found[4]))
    return Linked(place, int(found[5]), int(found[6]))


def view(
    first: Episode | None,
    second: Episode | None,
    grades: Iterable[Grade] = (),
    linked: Linked | None = None,
    words: str = "",
    whole: int = WHOLE,
) -> PairView:
    """Align, mark and annotate. `words` are marked wherever they are said; None is an episode not played.

    Of a text longer than `whole` characters only some is shown.
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
    rows = _aligned(first.messages if first else (), second.messages if second else ())
    forks, parted = _forks(rows, marked)
    _mark_differences(rows, marked)
    if linked:
        _add(
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
    shown = _Shown(marked, words, whole, parted, tools)
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
                _add(marked, _where(side, quoted), mark)
            yield Note(letter, name, grade.grader, grade.version, grade.question, side, evidence)


def _where(side: str, quoted: Evidence) -> Place:
    return Place(side, quoted.message, quoted.channel, quoted.block)


def _id(side: str, quoted: Evidence, letter: str) -> str:
    return f"{_where(side, quoted).id(quoted.start, quoted.end)}-{letter}"


def _add(marked: Marked, place: Place, mark: Mark) -> None:
    marked.setdefault(place, []).append(mark)


# Which turns stand side by side

_Row = tuple[tuple[int, Message] | None, tuple[int, Message] | None]


def _aligned(first: Sequence[Message], second: Sequence[Message]) -> list[_Row]:
    """Message beside message within each exchange: a longer one pushes the next down on both sides."""
    nothing: list[tuple[int, Message]] = []
    exchanges = zip_longest(_exchanges(first), _exchanges(second), fillvalue=nothing)
    return [row for one, other in exchanges for row in zip_longest(one, other)]


def _exchanges(messages: Sequence[Message]) -> list[list[tuple[int, Message]]]:
    """What comes before the user speaks, then each thing the user says with all that follows it."""
    exchanges: list[list[tuple[int, Message]]] = [[]]
    for number, message in enumerate(messages):
        if message.role == "user":
            exchanges.append([])
        exchanges[-1].append((number, message))
    return exchanges


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
    id = _call_id(place.side, place.message, at)
    words = pieces(call.arguments, [*_found(call.arguments, shown.words)], shown.whole)
    return Asked(id, call, words, id in shown.parted)


def _call_id(side: str, message: int, at: int) -> str:
    return f"{side}-{message}-c{at}"


def _thought(place: Place, reasoning: Reasoning, shown: _Shown) -> Thought:
    if reasoning.text is None:
        return Thought(place, reasoning, None)
    return Thought(place, reasoning, shown.cut(place, reasoning.text))


def _found(text: str, words: str, most: int = 200) -> Iterator[Mark]:
    """Where the words that were searched for are said, in any case and whatever stands between them."""
    said = re.findall(r"[^\W_]+", words)
    if not words:
        return
    pattern = r"(?<![^\W_])" + r"[\W_]+".join(said) if said else re.escape(words)
    for found in islice(re.finditer(pattern, text, re.IGNORECASE), most):
        yield Mark(found.start(), found.end(), "found", "found")


# Where the two part


def _forks(rows: Sequence[_Row], marked: Marked) -> tuple[dict[str, str], tuple[str, ...]]:
    """Mark the first divergence in reasoning and in action on both sides.

    Returns the ids of the first side's, and where action parts with a tool call the ids of both sides' calls.
    """
    forks: dict[str, str] = {}
    parted: tuple[str, ...] = ()
    for one, other in rows:
        if one is None or other is None or one[1].role != "assistant" or other[1].role != "assistant":
            continue
        for block, (left, right) in enumerate(zip(_thoughts(one[1]), _thoughts(other[1]), strict=False)):
            if "reasoning" not in forks and left != right:
                places = (Place("a", one[0], "reasoning", block), Place("b", other[0], "reasoning", block))
                forks["reasoning"] = _fork("reasoning", places, (left, right), marked)
        if "action" not in forks and one[1].text != other[1].text:
            places = (Place("a", one[0], "text", 0), Place("b", other[0], "text", 0))
            forks["action"] = _fork("action", places, (one[1].text, other[1].text), marked)
        elif "action" not in forks and (parted := _parting_call(one, other)):
            forks["action"] = parted[0]
    return forks, parted


def _parting_call(one: tuple[int, Message], other: tuple[int, Message]) -> tuple[str, ...]:
    """The first tool call of each side that the other did not make, or made with other arguments."""
    made = [[(call.name, call.arguments) for call in message.calls] for message in (one[1], other[1])]
    for at, calls in enumerate(zip_longest(*made)):
        if calls[0] != calls[1]:
            sides = zip(SIDES, (one, other), calls, strict=True)
            return tuple(_call_id(side, number, at) for side, (number, _), call in sides if call)
    return ()


def _mark_differences(rows: Sequence[_Row], marked: Marked) -> None:
    """Mark where prompts differ and no signal is recorded, as in transcripts that were imported.

    What tools answer differs with what they were asked.
    """
    for one, other in rows:
        if one is None or other is None or not {one[1].role, other[1].role} <= {"system", "user"}:
            continue
        left, right = one[1], other[1]
        if left.text == right.text or left.signal or right.signal:
            continue
        start = _parting(left.text, right.text)
        same = _parting(left.text[start:][::-1], right.text[start:][::-1])
        for side, (number, message) in zip(SIDES, (one, other), strict=True):
            end = len(message.text) - same
            if end > start:
                _add(marked, Place(side, number, "text", 0), Mark(start, end, "differs", "only here"))


def _thoughts(message: Message) -> list[str]:
    return [reasoning.text or "" for reasoning in message.reasoning]


def _fork(what: str, places: tuple[Place, Place], texts: tuple[str, str], marked: Marked) -> str:
    at = _parting(*texts)
    for place, text in zip(places, texts, strict=True):
        end = _word_end(text, at)
        if end > at:
            _add(marked, place, Mark(at, end, "fork", f"{what} differs", id=f"fork-{what}-{place.side}"))
    # An empty text has no word to mark; the other side's word stands for both.
    shown = "a" if _word_end(texts[0], at) > at else "b"
    return f"fork-{what}-{shown}"


def _parting(one: str, other: str) -> int:
    """Where the first words differ: the start of the first word that is not the same."""
    length = min(len(one), len(other))
    at = next((at for at in range(length) if one[at] != other[at]), length)
    if all(not text[at : at + 1].strip() for text in (one, other)):
        return at  # A word ends here in both.
    while at > 0 and not one[at - 1].isspace():
        at -= 1
    return at


def _word_end(text: str, start: int) -> int:
    found = re.compile(r"\s*\S{1,40}").match(text, start)
    return found.end() if found else len(text)
