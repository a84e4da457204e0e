"""A text in pieces is the text: nothing is lost, nothing moves, and every mark is where it was said to be."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gyges.browse.marks import LANES, Mark, Piece, in_lanes, pieces
from gyges.transcripts.safe import safe

texts = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    ["a\r\nb\rc\x00\u202e\t\n", "\ud800x", ""]
)


@st.composite
def marked(draw: st.DrawFn) -> tuple[str, list[Mark]]:
    text = draw(texts)
    spans = draw(st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))), max_size=8))
    return text, [Mark(min(span), max(span), "evidence", str(n), "A") for n, span in enumerate(spans)]


@given(marked())
@settings(deadline=None)
def test_pieces_add_up_to_the_text_at_their_places(case: tuple[str, list[Mark]]) -> None:
    text, marks = case
    cut = pieces(text, marks)
    assert "".join(piece.text for piece in cut) == text
    assert all(text[piece.at : piece.at + len(piece.text)] == piece.text for piece in cut)


@given(marked())
@settings(deadline=None)
def test_a_mark_is_over_exactly_its_characters_and_opens_once(case: tuple[str, list[Mark]]) -> None:
    text, marks = case
    cut = pieces(text, marks)
    for mark in marks:
        if mark.start == mark.end:
            continue
        over = [piece for piece in cut if mark.name in {one.name for one in piece.marks}]
        assert "".join(piece.text for piece in over) == text[mark.start : mark.end]
        assert [piece.at for piece in cut for one in piece.opens if one.name == mark.name] == [mark.start]


@given(texts)
@settings(deadline=None)
def test_what_acts_or_hides_is_spelt_out(text: str) -> None:
    for piece in pieces(text):
        if piece.shown_as:
            assert len(piece.text) == 1
            assert piece.shown_as == safe(piece.text) != piece.text
        else:
            rest = piece.text.replace("\r\n", "").replace("\n", "").replace("\t", "")
            # A piece may end between the two characters of a line's end.
            assert safe(rest.removesuffix("\r")) == rest.removesuffix("\r")


@given(marked())
@settings(deadline=None)
def test_overlapping_marks_are_in_different_lanes(case: tuple[str, list[Mark]]) -> None:
    placed = in_lanes(case[1])
    for lane in range(LANES - 1):
        row = [mark for mark in placed if mark.lane == lane]
        assert all(one.end <= other.start for one, other in pairwise(row))


@pytest.mark.parametrize("span", [(-1, 3), (0, 99), (3, 1)])
def test_a_mark_that_is_not_in_the_text_is_left_out(span: tuple[int, int]) -> None:
    assert pieces("hello", [Mark(*span, "link")]) == [Piece(0, "hello")]


def test_of_a_long_text_its_beginning_and_what_is_around_its_marks_is_shown() -> None:
    text = "x" * 1000 + "HERE" + "y" * 1000 + "THERE" + "z" * 5000
    marks = [Mark(1000, 1004, "evidence"), Mark(2004, 2009, "evidence")]
    cut = pieces(text, marks, whole=100)
    assert [piece.text for piece in cut if piece.marks] == ["HERE", "THERE"]
    assert sum(len(piece.text) + piece.left_out for piece in cut) == len(text)
    assert [piece.at for piece in cut if piece.left_out] == [100, 1404, 2409]


def test_pieces_of_a_huge_text_come_at_once() -> None:
    import time

    began = time.monotonic()
    cut = pieces("word " * 2_000_000, [Mark(9_999_000, 9_999_004, "evidence")])
    assert time.monotonic() - began < 1
    assert sum(len(piece.text) for piece in cut) < 50_000


def test_of_a_mark_as_long_as_a_long_text_the_beginning_is_shown() -> None:
    shown = pieces("x" * 100_000, [Mark(10, 99_990, "differs")], whole=1000)
    assert sum(len(piece.text) for piece in shown) == 1010 + 400
    assert sum(len(piece.text) + piece.left_out for piece in shown) == 100_000
