"""Two transcripts beside each other: what stands in one row, where they part, and what graders' letters mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gyges.browse.pair import view
from gyges.browse.place import Place, read_place
from gyges.scenarios.plan import Text
from gyges.scenarios.world import Change
from gyges.transcripts.grades import Evidence, Finding, Grade, ReasoningRead
from gyges.transcripts.record import Message, Reasoning, ToolCall, ToolResult, Visibility
from gyges.transcripts.search import Query
from tests.browsing import kind_pair


def said(role: str, text: str, thought: str | None = None) -> Message:
    reasoning = () if thought is None else (Reasoning(Visibility.RAW, "x", thought),)
    return Message(role, text, reasoning)  # type: ignore[arg-type]


def rows(first: list[Message], second: list[Message]) -> list[tuple[str | None, str | None]]:
    one, other = (
        replace(e, messages=tuple(m)) for e, m in zip(kind_pair("s", 0, "a", "b")[0], (first, second), strict=True)
    )
    shown = view(one, other).turns
    return [tuple(cell.message.text if cell else None for cell in turn.cells) for turn in shown]  # type: ignore[misc]


def test_each_exchange_begins_in_one_row_however_long_the_one_before_was() -> None:
    first = [said("system", "S"), said("user", "u1"), said("assistant", "a1"), said("user", "u2")]
    second = [
        said("system", "S"),
        said("user", "u1"),
        said("assistant", "call"),
        said("tool", "result"),
        said("assistant", "b1"),
        said("user", "u2"),
    ]
    assert rows(first, second) == [
        ("S", "S"),
        ("u1", "u1"),
        ("a1", "call"),
        (None, "result"),
        (None, "b1"),
        ("u2", "u2"),
    ]


def test_an_episode_without_a_partner_stands_alone() -> None:
    one = kind_pair("s", 0, "complies", "declines")[0][0]
    assert [turn.second for turn in view(one, None).turns] == [None, None, None]
    assert view(None, None).turns == ()


def forks_of(
    first: str, second: str, answer: tuple[str, str] = ("same", "same")
) -> tuple[dict[str, str], list[str]]:
    one, other = kind_pair("s", 0, "a", "b")[0]
    shown = view(
        replace(one, messages=(said("user", "u"), said("assistant", answer[0], first))),
        replace(other, messages=(said("user", "u"), said("assistant", answer[1], second))),
    )
    cells = [cell for turn in shown.turns for cell in turn.cells if cell]
    blocks = [block for cell in cells for block in [cell.words, *(t.words or [] for t in cell.thoughts)]]
    words = [piece.text for block in blocks for piece in block if any(mark.kind == "fork" for mark in piece.marks)]
    return shown.forks, words


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("I will go now", "I will stay now", ["go", "stay"]),
        ("I will goad", "I will go", ["goad", "go"]),
        ("same words", "same words and more", [" and"]),
        ("", "words", ["words"]),
        ("x", "y", ["x", "y"]),
    ],
)
def test_the_first_words_that_differ_are_marked_on_both_sides(first: str, second: str, words: list[str]) -> None:
    forks, marked = forks_of(first, second)
    assert forks.keys() == {"reasoning"}
    assert marked == words


def test_reasoning_and_action_part_separately() -> None:
    assert forks_of("same", "same")[0] == {}
    assert forks_of("same", "same", ("go", "stay"))[0] == {"action": "fork-action-a"}
    assert forks_of("one", "two", ("go", "stay"))[0].keys() == {"reasoning", "action"}


def test_one_finding_of_two_graders_has_two_letters_and_the_same_letter_on_both_sides() -> None:
    one, other = kind_pair("s", 0, "complies", "declines")[0]
    grades = [
        Grade(episode.key.id(), "reasoning", grader, "1", ReasoningRead((Finding("f", (quoted,)),)))
        for episode in (one, other)
        for grader in ("g1", "g2")
        for quoted in (Evidence(2, "reasoning", 0, 0, 4, "They"),)
    ]
    notes = view(one, other, grades).notes
    assert [(note.side, note.grader, note.letter) for note in notes] == [
        ("a", "g1", "A"),
        ("a", "g2", "B"),
        ("b", "g1", "A"),
        ("b", "g2", "B"),
    ]


def test_many_findings_get_as_many_letters() -> None:
    one = kind_pair("s", 0, "complies", "declines")[0][0]
    quoted = Evidence(2, "reasoning", 0, 0, 4, "They")
    found = ReasoningRead(tuple(Finding(f"f{number:02}", (quoted,)) for number in range(60)))
    notes = view(one, None, [Grade(one.key.id(), "reasoning", "g", "1", found)]).notes
    letters = [note.letter for note in notes]
    assert letters[:3] + letters[25:28] + letters[52:53] == ["A", "B", "C", "Z", "AA", "AB", "BA"]
    assert len(set(letters)) == 60


@pytest.mark.parametrize(
    ("words", "marked"),
    [
        ("train me", ["train me"]),
        ("TRAIN  me", ["train me"]),
        ("rain", []),
        ("", []),
        ("they", ["They"]),
        (".", ["."]),
    ],
)
def test_words_that_were_searched_for_are_marked(words: str, marked: list[str]) -> None:
    one = kind_pair("s", 0, "complies", "declines")[0][0]
    thought = view(one, None, query=Query(words) if words else None).turns[2].first
    assert thought is not None
    found = [p.text for p in thought.thoughts[0].words or [] if any(mark.kind == "found" for mark in p.marks)]
    assert found == marked


def test_a_place_is_read_as_it_is_written() -> None:
    place = Place("b", 12, "reasoning", 3)
    linked = read_place(place.id(5, 9))
    assert linked is not None
    assert (linked.place, linked.start, linked.end) == (place, 5, 9)
    assert read_place("b-12-r3-5-9-A") is None


def test_where_no_signal_is_recorded_the_words_that_only_one_prompt_has_are_marked() -> None:
    one, other = kind_pair("s", 0, "a", "b")[0]
    prompts = ("<free>True</free> Will you?", "<free>False</free> Will you?")
    first, second = (replace(e, messages=(said("user", p),)) for e, p in zip((one, other), prompts, strict=True))
    shown = view(first, second)
    marked = [
        [piece.text for piece in cell.words if any(mark.kind == "differs" for mark in piece.marks)]
        for cell in shown.turns[0].cells
        if cell
    ]
    assert marked == [["<free>True</free>"], ["<free>False</free>"]]


def test_where_the_sides_call_other_tools_their_action_parts() -> None:
    one, other = kind_pair("s", 0, "a", "b")[0]
    read = ToolCall("1", "read_file", '{"path": "a"}')
    sides = (
        (read, ToolCall("2", "send_mail", '{"to": "ann"}')),
        (read, ToolCall("2", "send_mail", '{"to": "bob"}'), ToolCall("3", "halt", "{}")),
    )
    first, second = (
        replace(
            episode,
            messages=(
                said("user", "u"),
                Message("assistant", "", calls=calls),
                Message("tool", "x", result=answer),
            ),
        )
        for episode, calls, answer in zip(
            (one, other), sides, (ToolResult("1"), ToolResult("2", True)), strict=True
        )
    )
    shown = view(first, second, query=Query("ann"))
    assert shown.forks == {"action": "a-1-c1"}
    cells = [cell for turn in shown.turns for cell in turn.cells if cell]
    assert [asked.id for cell in cells for asked in cell.calls if asked.parted] == ["a-1-c1", "b-1-c1"]
    assert [cell.answers for cell in cells if cell.message.role == "tool"] == ["read_file", "send_mail"]
    found = [
        p.text for cell in cells for a in cell.calls for p in a.words if any(m.kind == "found" for m in p.marks)
    ]
    assert found == ["ann"]


def test_what_evidence_hides_stands_behind_it() -> None:
    one = kind_pair("s", 0, "complies", "declines")[0][0]
    quoted = Evidence(2, "reasoning", 0, 0, 4, "They", decoded="obey")
    grade = Grade(one.key.id(), "reasoning", "g", "1", ReasoningRead((Finding("encoded", (quoted,)),)))
    thought = view(one, None, [grade]).turns[2].first
    assert thought is not None
    closing = [p for p in thought.thoughts[0].words or [] if any(mark.decoded for mark in p.closes)]
    assert [(p.at + len(p.text), p.closes[0].decoded) for p in closing] == [(4, "obey")]


def test_what_a_tool_changed_is_shown_before_and_after_with_its_signal() -> None:
    one = kind_pair("s", 0, "complies", "declines")[0][0]
    changes = (
        Change("desk/a", Text("old free", ((4, 8),)), Text("new")),
        Change("desk/b", None, Text("")),
        Change("desk/c", Text("x"), None),
    )
    tool = Message("tool", "done", result=ToolResult("1"), changes=changes)
    cell = view(replace(one, messages=(said("user", "u"), tool)), None).turns[1].first
    assert cell is not None
    first, second, third = cell.changes
    assert [piece.text for piece in first.before or [] if piece.marks] == ["free"]
    assert (second.before, second.after, third.after) == (None, [], None)
