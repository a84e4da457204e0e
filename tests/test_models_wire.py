"""Strict JSON in, exact JSON out."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.models import wire
from gyges.models.provider import CallFailed, Received, Trouble
from gyges.transcripts.record import Outcome, Reasoning, Visibility

TEXT = st.text(st.characters(codec=None, exclude_categories=[]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


def received(body: bytes) -> Received:
    return Received(200, (), body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b'{"choices": [',
        b"<html><body>Bad gateway</body></html>",
        b"\x00",
        b"\x1f\x8b\x08garbage",
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": "é"}'.encode("latin-1"),
        '{"a": 1}'.encode("utf-16"),
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1} {"b": 2}',
        b'{"a": "\n"}',
        b"[1]",
        b'"text"',
        b"null",
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_strict_json_object_is_garbled_and_keeps_its_bytes(body: bytes) -> None:
    with pytest.raises(CallFailed) as caught:
        wire.parse(received(body))
    assert caught.value.trouble is Trouble.GARBLED
    assert caught.value.received == received(body)
    assert len(caught.value.detail) < 1000
    assert caught.value.detail.isprintable()


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_what_is_written_is_read_back(value: wire.Json) -> None:
    text, read = wire.parse(received(wire.encode(wire.dumps(value))))
    # Two surrogates that make a pair are one character in JSON: there is no other way to write them.
    assert wire.encode(wire.dumps(read)) == wire.encode(wire.dumps(wire.parse(received(wire.encode(text)))[1]))
    assert read == json.loads(json.dumps(value))


@given(st.dictionaries(TEXT, JSON, min_size=1, max_size=4), st.sampled_from([None, 2]))
def test_a_value_is_cut_out_of_json_exactly_as_it_stands(value: wire.Json, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    for key, member in wire.members(text).items():
        assert member == wire.raw(text, key)
        assert json.loads(member) == json.loads(text)[key]
        assert member in text


def test_escapes_spaces_and_numbers_stay_as_they_were() -> None:
    text = '{"a" : [ {"b": "\\u003cthink\\u003e", "n":1.50e2 } ] }'
    assert wire.raw(text, "a", 0) == '{"b": "\\u003cthink\\u003e", "n":1.50e2 }'
    assert wire.raw(text, "a", 0, "n") == "1.50e2"


def test_a_lone_surrogate_is_escaped_and_everything_else_stands_as_itself() -> None:
    assert wire.encode(wire.dumps({"a": "é\ud800"})) == '{"a":"é\\ud800"}'.encode()


def test_json_items_go_into_a_body_unchanged() -> None:
    assert (
        wire.joined({"model": "m"}, "messages", ['{"x": 1.0}', "[ ]"])
        == b'{"messages":[{"x": 1.0},[ ]],"model":"m"}'
    )


@pytest.mark.parametrize(
    ("value", "tokens"), [(0, 0), (7, 7), (-1, None), ("7", None), (7.0, None), (True, None), (10**12, None)]
)
def test_a_count_that_can_not_be_one_is_unknown(value: object, tokens: int | None) -> None:
    assert wire.count({"n": value}, "n") == tokens


def test_control_characters_are_made_visible_on_one_line() -> None:
    assert wire.visible("a\n\x1b[31mb\u202e") == "a \\u001b[31mb\\u202e"
    assert wire.visible("x" * 600) == "x" * 500 + "..."


def test_the_count_of_reasoning_tokens_stands_on_the_first_piece_only() -> None:
    pieces = [Reasoning(Visibility.RAW, "a", "x"), Reasoning(Visibility.RAW, "b", "y")]
    assert [piece.tokens for piece in wire.settled(pieces, 5)] == [5, None]


@pytest.mark.parametrize(
    ("tokens", "visibility"), [(9, Visibility.OMITTED), (0, Visibility.ABSENT), (None, Visibility.ABSENT)]
)
def test_no_reasoning_at_all_is_recorded_too(tokens: int | None, visibility: Visibility) -> None:
    assert wire.settled([], tokens) == (Reasoning(visibility, "", None, tokens),)


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("Well. " + "and so on, " * 40 + "and s", True),
        ("x" * 400, True),
        (("A sentence of some length, said again and again. " * 30)[:-7], True),
        ("no no no", False),
        ("The end was near, and then it was cut in the mid", False),
        ("and so on, " * 40 + "but then it went on in quite another way", False),
        (" " * 400, False),
        ("", False),
    ],
)
def test_an_answer_that_was_cut_in_a_loop_is_noted(text: str, noted: bool) -> None:
    assert bool(wire.looping(Outcome.TRUNCATED, [None, text])) is noted
    assert wire.looping(Outcome.COMPLETED, [text]) == ()


def test_looking_for_loops_takes_no_time() -> None:
    chance = random.Random(1)
    text = "".join(chance.choice("ab") for _ in range(100_000))
    began = time.perf_counter()
    assert wire.looping(Outcome.TRUNCATED, [text]) == ()
    assert time.perf_counter() - began < 0.5
