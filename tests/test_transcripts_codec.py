"""How values are spelt in a run's file: nothing is lost, and ordinary text is spelt as it is."""

from __future__ import annotations

import os
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.errors import StoreError
from gyges.transcripts import codec
from gyges.transcripts.grades import Evidence, Finding, ReasoningRead

texts = st.text(st.characters(codec=None)) | st.text("\x00\x10\x80\x8f\ud83d\ude00a", max_size=12)


@given(texts)
def test_every_text_comes_back_from_a_text_column(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    (found, length) = connection.execute(
        "SELECT column1, length(column1) FROM (VALUES (?))", [codec.stored(text)]
    ).fetchone()
    connection.close()
    assert codec.original(found) == text
    assert length == len(found)  # SQLite counts as Python does: no NUL cuts it short.


@given(texts, texts)
def test_two_texts_are_never_stored_as_one(one: str, other: str) -> None:
    assert (codec.stored(one) == codec.stored(other)) == (one == other)


@pytest.mark.parametrize("text", ["", "plain", "é 漢 \U0001f600 \u202e \ufffe\n\t", "\x80\x8f"])
def test_ordinary_text_is_stored_as_it_is(text: str) -> None:
    assert codec.stored(text) is text
    assert codec.original(text) is text


@pytest.mark.parametrize("data", [b"", b"=", b"z", b"x" * 10_000, os.urandom(10_000), bytes(range(256)) * 9])
def test_bytes_are_packed_without_loss_and_never_grow(data: bytes) -> None:
    assert codec.unpack(codec.pack(data)) == data
    assert len(codec.pack(data)) <= len(data) + 1


@pytest.mark.parametrize("packed", [b"", b"zzz", b"?x", b"x"])
def test_bytes_that_were_not_packed_are_refused(packed: bytes) -> None:
    with pytest.raises(StoreError, match="can't be read"):
        codec.unpack(packed)


def test_equal_values_are_spelt_alike() -> None:
    assert codec.spell({"b": [1, None], "a": "\ud800"}) == codec.spell({"a": "\ud800", "b": [1, None]})


@pytest.mark.parametrize(
    ("one", "other"), [(("ab", "c"), ("a", "bc")), (("a", ""), ("a",)), (("", "a"), ("a", ""))]
)
def test_a_digest_knows_where_its_parts_end(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert codec.digest(*one) != codec.digest(*other)


def test_a_finding_keeps_its_score_and_one_from_before_scores_has_none() -> None:
    place = Evidence(1, "reasoning", 0, 2, 4, "so")
    answer = ReasoningRead((Finding("a", (place,), 0.25), Finding("b", (place,))))
    assert codec.read_answer(codec.spell_answer(answer)) == answer
    before = '{"findings":[["b",[[1,"reasoning",0,2,4,"so"]]]]}'
    assert codec.read_answer(before) == ReasoningRead((Finding("b", (place,)),))
    assert codec.spell_answer(ReasoningRead((Finding("b", (place,)),))) == before


def test_the_legible_share_of_a_reasoning_is_kept() -> None:
    answer = ReasoningRead((), ("a",), 0.75)
    assert codec.read_answer(codec.spell_answer(answer)) == answer


def test_what_evidence_hides_is_kept_with_it() -> None:
    place = Evidence(1, "reasoning", 0, 2, 10, "c28gd2hhdA==", "so \x00 what")
    answer = ReasoningRead((Finding("encoded_base64", (place,)),))
    assert codec.read_answer(codec.spell_answer(answer)) == answer
