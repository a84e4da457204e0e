"""A transcript in parts: nothing is left out, none is too long, and each begins where the one before it ended."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.grading.judge_parts import Piece, encoded, in_parts

LINES = "\n".join(f"line {number} of the thought" for number in range(400))


def read(parts: list[str]) -> list[list[dict[str, object]]]:
    return [json.loads(part) for part in parts]


def test_what_fits_is_one_part() -> None:
    pieces = [
        Piece(0, "prompt", "text", "Hello."),
        Piece(1, "agent", "reasoning", "Hm."),
        Piece(1, "agent", "text", "Yes."),
    ]
    (part,) = in_parts(pieces, 1_000)
    assert part == encoded(pieces)
    assert json.loads(part) == [
        {"message": 0, "speaker": "prompt", "text": "Hello."},
        {"message": 1, "speaker": "agent", "reasoning": ["Hm."], "text": "Yes."},
    ]


def test_a_long_text_is_cut_behind_lines_and_said_to_be_incomplete() -> None:
    parts = in_parts([Piece(0, "prompt", "text", "Go."), Piece(1, "agent", "reasoning", LINES)], 2_000)
    assert len(parts) > 4
    assert all(len(part) <= 2_000 for part in parts)
    stretches = [str(entry["reasoning"][0]) for part in read(parts) for entry in part if "reasoning" in entry]  # type: ignore[index]
    assert all(entry["incomplete"] for part in read(parts) for entry in part if "reasoning" in entry)
    for before, after in pairwise(stretches):
        assert any(after.startswith(before[-length:]) for length in range(5, 30))
    assert {line for one in stretches for line in one.split("\n")} >= set(LINES.split("\n"))


def test_messages_that_fit_are_not_cut() -> None:
    pieces = [Piece(number, "agent", "text", f"Answer {number}. " * 20) for number in range(10)]
    parts = read(in_parts(pieces, 1_500))
    whole = [entry["text"] for part in parts for entry in part if "incomplete" not in entry]
    assert whole == [piece.text for piece in pieces]


def test_calls_of_a_message_stay_with_it() -> None:
    pieces = [
        Piece(0, "agent", "calls", "a\n{}"),
        Piece(0, "agent", "calls", "b\n{}"),
        Piece(0, "agent", "text", "x"),
    ]
    assert read([encoded(pieces)]) == [
        [{"message": 0, "speaker": "agent", "text": "x", "calls": ["a\n{}", "b\n{}"]}]
    ]


@given(
    st.lists(st.tuples(st.sampled_from(["reasoning", "text", "calls"]), st.text(max_size=900)), max_size=6),
    st.integers(min_value=700, max_value=2_500),
)
def test_every_character_is_in_a_part(texts: list[tuple[str, str]], characters: int) -> None:
    pieces = [Piece(at, "agent", channel, text) for at, (channel, text) in enumerate(texts)]  # type: ignore[arg-type]
    parts = in_parts(pieces, characters)
    assert all(len(part) <= characters for part in parts)
    for piece in pieces:
        rebuilt = ""
        for part in read(parts):
            for entry in part:
                if entry["message"] == piece.message:
                    value = entry[piece.channel]
                    words = value if isinstance(value, str) else value[0]  # type: ignore[index]
                    overlap = next(n for n in range(len(words), -1, -1) if rebuilt.endswith(words[:n]))
                    rebuilt += words[overlap:]
        assert len(rebuilt) <= len(piece.text)
        assert set(rebuilt) == set(piece.text)


@pytest.mark.parametrize("text", ["\u200b" * 3_000, "x" * 5_000, " " * 5_000])
def test_text_without_a_place_to_cut_is_cut_all_the_same(text: str) -> None:
    parts = in_parts([Piece(0, "agent", "text", text)], 1_000)
    assert all(len(part) <= 1_000 for part in parts)
    assert sum(len(str(entry["text"])) for part in read(parts) for entry in part) >= len(text)
